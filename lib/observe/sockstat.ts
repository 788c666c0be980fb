/**
 * `soref.sockstat()`: the sockets that are live now, as the programs sockstat(1) and ss(8) show those
 * of a host. Part of the public API.
 */
import * as environment from '../core/environment';
import type { SocketStatus } from '../core/reports';

export type { SocketStatus } from '../core/reports';

/** A row for each live socket, in the order of their slots; none when `soref.engine` is 'node'. */
export function sockstat(): SocketStatus[] {
  return environment.sockstat();
}
