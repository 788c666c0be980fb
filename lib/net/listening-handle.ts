// Makes the handle that a server listens on, and starts it: Node's `_listen2`. Servers call it once
// they know what to listen on; packages that wrap `_listen2` rely on its name and arguments.
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import { Handle } from '../core/handle';
import { UVExceptionWithHostPort } from './errors';
import type { ServerInternals } from './server';
import { onconnection, receiveConnections } from './server-accept';
import { asyncId } from './socket-fields';
import { nextTickTriggeredBy } from './triggered-tick';

/** Traces every listen: asyncStart, then asyncEnd or error (Node's documentation, "TracingChannel"). */
export const listenChannel: TracingChannel<object, object> = tracingChannel('net.server.listen');

/** The bits of Node's `flags` argument, as libuv numbers them. */
export const IPV6_ONLY = 1;
export const REUSE_PORT = 2;

const ANY_IPV4 = '0.0.0.0';
const ANY_IPV6 = '::';
// The kernel rounds the backlog plus one up to a power of two, so this makes a queue of 512.
const DEFAULT_BACKLOG = 511;

const EINVAL = -22;
const EADDRINUSE = -98;

type Address = string | null | undefined;
type Nullable = number | null | undefined;

/** A bound handle that listens nowhere yet, or a negative errno; then nothing stays open. */
function openHandle(
  address: Address,
  port: Nullable,
  addressType: Nullable,
  fd: number | undefined,
  flags = 0,
): Handle | number {
  const isPath = port === -1 && addressType === -1;
  const handle = new Handle(isPath ? 'pipe' : 'tcp', 'server');
  let errno: number;
  if (typeof fd === 'number' && fd >= 0) {
    errno = handle.attach(fd);
    // Node does not listen on a descriptor that is no socket, whatever else it is.
    if (errno !== 0) errno = EINVAL;
  } else if (isPath) {
    errno = handle.bindPath(address ?? '');
  } else {
    const bits = { ipv6Only: (flags & IPV6_ONLY) !== 0, reusePort: (flags & REUSE_PORT) !== 0 };
    errno = handle.bindAddress(address || ANY_IPV4, port ?? 0, bits);
  }
  if (errno === 0) return handle;
  handle.close();
  return errno;
}

/** What a server ends up listening on: without an address, all of IPv6 and IPv4 if there is IPv6. */
function openTarget(
  address: Address,
  port: Nullable,
  addressType: Nullable,
  fd: number | undefined,
  flags: number | undefined,
) {
  if (!address && typeof fd !== 'number') {
    const handle = openHandle(ANY_IPV6, port, 6, undefined, flags);
    // A port in use is in use for IPv4 too, and the error names the address that was asked for.
    if (handle instanceof Handle || handle === EADDRINUSE) {
      return { handle, address: ANY_IPV6, addressType: 6 };
    }
    const fallback = openHandle(ANY_IPV4, port, 4, undefined, flags);
    return { handle: fallback, address: ANY_IPV4, addressType: 4 };
  }
  return { handle: openHandle(address, port, addressType, fd, flags), address, addressType };
}

function emitError(server: ServerInternals, error: Error): void {
  server.emit('error', error);
}

function emitListening(server: ServerInternals): void {
  // A server that was closed in between does not say that it listens.
  if (server._handle) server.emit('listening');
}

/** Emits in the next tick that nothing listens. */
export function failListening(
  server: ServerInternals,
  errno: number,
  address: Address,
  port: number | null | undefined,
): void {
  const error = new UVExceptionWithHostPort(errno, 'listen', address, port);
  if (listenChannel.hasSubscribers) listenChannel.error.publish({ server, error });
  nextTickTriggeredBy(server[asyncId], emitError, server, error);
}

/**
 * Listens on the server's handle, or on a new one for what the arguments name. Emits 'listening', or
 * 'error' with Node's `listen` exception, in the next tick.
 * @param port -1 for a path; @param addressType 4, 6, or -1 for a path
 * @param backlog 511 when not given; @param flags IPV6_ONLY | REUSE_PORT
 */
export function setupListenHandle(
  this: ServerInternals,
  address: Address,
  port: number | null | undefined,
  addressType: number | null | undefined,
  backlog: number | false | undefined,
  fd: number | undefined,
  flags: number | undefined,
): void {
  let target = { address, addressType };
  // A handle is there already when a cluster's primary, or listen({ handle }), gave it.
  if (!this._handle) {
    const { handle, ...opened } = openTarget(address, port, addressType, fd, flags);
    target = opened;
    if (typeof handle === 'number') {
      failListening(this, handle, target.address, port);
      return;
    }
    this._handle = handle;
  }
  const handle = this._handle;
  this[asyncId] = handle.getAsyncId?.() ?? -1;
  if (handle instanceof Handle) receiveConnections(this, handle);
  else Object.assign(handle, { owner: this, onconnection });

  const errno = handle.listen?.(backlog || DEFAULT_BACKLOG) ?? 0;
  if (errno !== 0) {
    handle.close();
    this._handle = null;
    failListening(this, errno, target.address, port);
    return;
  }
  if (listenChannel.hasSubscribers) listenChannel.asyncEnd.publish({ server: this });
  this._connectionKey = `${target.addressType}:${target.address}:${port}`;
  if (this._unref) this.unref();
  nextTickTriggeredBy(this[asyncId], emitListening, this);
}
