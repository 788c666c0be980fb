/**
 * `soref.sockstat()`: the sockets that are live now, as the programs sockstat(1) and ss(8) show those
 * of a host. Part of the public API.
 */
import * as environment from '../core/environment';
import type { References } from './ledger';

/** One live socket of this environment. */
export interface SocketStatus {
  /** Where the core keeps it. Used again once the socket is gone. */
  slot: number;
  /** 'tcp4', 'tcp6' or 'unix'. */
  protocol: string;
  /** `address:port`, `[address]:port` or a path; '' when there is none. */
  local: string;
  remote: string;
  /** How far the socket is in its life, from allocated to detached. */
  life: string;
  /** What the connection does: idle, connecting, connected, listening, disconnected. */
  state: string;
  /** The descriptor, for a look into /proc; it stays soref's. */
  fd: number;
  /** Bytes written and not yet taken by the kernel. */
  sendQueue: number;
  /** Connections accepted and not yet seen by JavaScript. */
  acceptQueue: number;
  references: References;
  /** Milliseconds since the socket was created. */
  age: number;
}

/** A row for each live socket, in the order of their slots; none when `soref.engine` is 'node'. */
export function sockstat(): SocketStatus[] {
  return environment.sockstat();
}
