/**
 * Finds and loads the native addon, and states what it exports. The typed door to the core: only
 * lib/core looks behind it.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Ledger, SocketDetails, SocketStatus } from './reports';

/** The shared memory's layout, as src-native/core/shared_memory.h defines it. */
export interface Layout {
  readonly controlLength: number;
  readonly commandsAt: number;
  readonly commandLength: number;
  readonly commandCapacity: number;
  readonly eventsAt: number;
  readonly eventLength: number;
  readonly transmitSize: number;
  readonly receiveBufferSize: number;
  readonly receiveBufferCount: number;
}

/** A name that the core fills in. */
export interface NameOut {
  address?: string;
  family?: 'IPv4' | 'IPv6';
  port?: number;
}

/** The calls of a started core. All results are 0 or more, or a negative errno. */
export interface Calls {
  readonly engine?: 'io_uring' | 'epoll';
  readonly reason: string;
  /** The shared memory; the core's and ours, so that it stays whoever of us lets go of it. */
  readonly control: ArrayBuffer;
  readonly transmit: ArrayBuffer;
  readonly receive: ArrayBuffer;
  attach(family: number): number;
  attachExternal(descriptor: number, duplicate: boolean): number;
  bind(
    slot: number,
    generation: number,
    address: string,
    port: number,
    ipv6Only: boolean,
    reusePort: boolean,
  ): number;
  listen(slot: number, generation: number, backlog: number): number;
  connect(slot: number, generation: number, address: string, port: number): number;
  localName(slot: number, generation: number, out: NameOut): number;
  peerName(slot: number, generation: number, out: NameOut): number;
  setOption(slot: number, generation: number, option: number, value: number): number;
  option(slot: number, generation: number, option: number): number;
  resource(slot: number, generation: number): number;
  outgoingSize(slot: number, generation: number): number;
  appendPinned(slot: number, generation: number, bytes: Uint8Array): number;
  sendAppended(slot: number, generation: number, now: boolean): number;
  detach(slot: number, generation: number, out: { head: Buffer[]; tail: Buffer[] }): number;
  drain(): void;
  settle(): void;
  /** Whether there are events that tell of bytes which have not left. */
  flush(): boolean;
  referenceLoop(referenced: boolean): void;
  reportUncaught(error: unknown): void;
  ledger(): Ledger;
  sockstat(): SocketStatus[];
  inspect(slot: number, generation: number): SocketDetails | null;
}

/** Whether io_uring could serve on this machine, whichever engine runs. */
export interface UringAvailability {
  /** Whether the binary has that engine: it was built with liburing. */
  readonly built: boolean;
  /** How its ring would be run; '' if it cannot. */
  readonly mode: string;
  /** The errno that io_uring_setup(2) refused with, or 0. */
  readonly errno: number;
  /** Why it cannot; '' if it can. */
  readonly reason: string;
}

/** What the addon exports. */
export interface Addon {
  readonly layout: Layout;
  probeIoUring(): UringAvailability;
  start(choice: number, deliver: () => void): Calls;
}

export interface Loaded {
  readonly addon: Addon | undefined;
  /** The binary's file; '' if there is none. */
  readonly path: string;
  /** Why there is none: for the one warning that the user gets. */
  readonly reason: string;
}

/** Loads the binary that came with the package, or else the one that was built here. */
export function loadAddon(): Loaded {
  const root = join(__dirname, '..', '..');
  const candidates = [
    join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'soref.node'),
    join(root, 'build', 'Release', 'soref.node'),
  ];
  let reason = `no binary for ${process.platform}-${process.arch}`;
  for (const path of candidates) {
    if (!existsSync(path)) continue;
    try {
      return { addon: require(path) as Addon, path, reason: '' };
    } catch (error) {
      reason = (error as Error).message;
    }
  }
  return { addon: undefined, path: '', reason };
}
