// Passing sockets between soref's handles and Node's own (TCPWrap, PipeWrap). Whoever takes over a
// native handle by its descriptor adopts a duplicate, because the native handle keeps its own and
// closes it itself. Used by listen, the accept path, clusters and soref/register.
import type * as net from 'node:net';
import { Handle, type Kind } from '../core/handle';
import { NodeSocket } from './node-net';
import type { SocketConstructorOptions } from './socket-constructor-options';

/** What soref uses of a handle of Node's own, or of a cluster's stand-in for one. */
export interface NativeHandle {
  fd?: number;
  reading?: boolean;
  onconnection?: unknown;
  open?(fd: number): number;
  listen?(backlog: number): number;
  close(done?: () => void): void;
  getsockname?(out: object): number;
  getpeername?(out: object): number;
  getAsyncId?(): number;
  setNoDelay?(on: boolean): number;
  setKeepAlive?(on: boolean, initialDelaySeconds: number): number;
  readStart?(): number;
  readStop?(): number;
  ref?(): void;
  unref?(): void;
}

/** Whether a value is one of Node's own TCP or pipe handles. */
export function isNativeHandle(value: unknown): value is NativeHandle & { fd: number } {
  if (typeof value !== 'object' || value === null || value instanceof Handle) return false;
  const handle = value as Partial<NativeHandle>;
  return typeof handle.fd === 'number' && typeof handle.open === 'function';
}

/** Only Node's TCP handles, and not its pipes, can tell their address. */
export function kindOf(native: NativeHandle): Kind {
  return typeof native.getsockname === 'function' ? 'tcp' : 'pipe';
}

/**
 * A Handle on a duplicate of a native handle's descriptor, or a negative errno. The native handle
 * stays its owner's, open and untouched.
 */
export function adoptDuplicate(native: { fd: number }, kind: Kind, role: 'socket' | 'server') {
  const handle = new Handle(kind, role);
  const errno = handle.attachDuplicate(native.fd);
  if (errno === 0) return handle;
  handle.close();
  return errno;
}

/**
 * Closes a native handle when its duplicate closes. Until then it stays open, for what its closing
 * does, such as taking a path away or telling a cluster's primary, belongs to the duplicate's end.
 */
export function closeTogether(duplicate: Handle, native: NativeHandle): void {
  const { close } = duplicate;
  duplicate.close = (done) => {
    duplicate.close = close;
    native.close();
    close.call(duplicate, done);
  };
}

/** A duplicate of a descriptor that nobody owns yet, or a negative errno. */
export function duplicateDescriptor(fd: number, kind: Kind): number {
  const handle = adoptDuplicate({ fd }, kind, 'socket');
  return typeof handle === 'number' ? handle : handle.detach().fd;
}

/**
 * A socket of Node's own that owns the descriptor; its `_handle` is a native handle. Throws Node's error when the descriptor is no socket.
 */
export function nodeSocketOn(fd: number, options: SocketConstructorOptions) {
  const socket = new NodeSocket({ ...options, fd } as net.SocketConstructorOpts);
  return socket as typeof socket & { _handle: NativeHandle | null };
}

/** A socket of Node's around a native handle, for writing to it. The handle's owner stays who it was. */
export function nodeSocketOf(handle: NativeHandle): net.Socket {
  const symbol = nativeOwnerSymbol();
  const symbols = handle as unknown as Record<symbol, unknown>;
  const owner = symbol && symbols[symbol];
  const socket = new NodeSocket({ handle, manualStart: true } as net.SocketConstructorOpts);
  if (symbol) symbols[symbol] = owner;
  return socket;
}

let ownerSymbol: symbol | undefined;

/**
 * The symbol under which Node's own code finds the owner of a handle; a cluster's worker closes its
 * servers through it. It is not exported, but every native handle that has an owner carries it.
 */
export function nativeOwnerSymbol(): symbol | undefined {
  if (ownerSymbol === undefined) {
    // A child process that was never started is the cheapest owner of a native handle. The module
    // is loaded here, for only the workers of a cluster come by.
    const { ChildProcess } = require('node:child_process') as typeof import('node:child_process');
    const { _handle } = new ChildProcess() as unknown as { _handle: object };
    const symbols = Object.getOwnPropertySymbols(_handle);
    ownerSymbol = symbols.find((symbol) => symbol.description === 'owner_symbol');
  }
  return ownerSymbol;
}
