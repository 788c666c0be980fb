// What happens when a listener has a new connection: the limits, the Socket, the events. Connections
// arrive through one shared Receiver, so that accepting makes no closure. Called by lib/core, and by
// whoever calls `server._handle.onconnection` as Node's cluster module does.
import { channel } from 'node:diagnostics_channel';
import type * as net from 'node:net';
import { isIP } from 'node:net';
import { type Address, Handle, type Receiver } from '../core/handle';
import { ErrnoException } from './errors';
import { adoptDuplicate, isNativeHandle, kindOf, type NativeHandle } from './native-handle';
import type { ServerInternals } from './server';
import { Socket } from './socket';
import { newOptions, type SocketConstructorOptions } from './socket-constructor-options';

type ConnectionHandler = (
  this: unknown,
  errno: number,
  child: Handle | NativeHandle | undefined,
) => void;

const EINVAL = -22;

/**
 * The method by which a server makes the socket of an accepted child, which it gives away with it.
 * Servers whose protocol works inside handles of Node's only have another one from soref/register.
 */
export const makeSocket: unique symbol = Symbol('makeSocket');

const socketChannel = channel('net.server.socket');

// Up to Node 20 a limit of 0 meant none; afterwards it means that every connection is dropped.
const ZERO_IS_A_LIMIT = Number(process.versions.node.split('.')[0]) > 20;

function isFull(server: ServerInternals): boolean {
  const limit = server.maxConnections;
  if (limit === undefined || limit === null || (limit === 0 && !ZERO_IS_A_LIMIT)) return false;
  return server._connections >= limit;
}

/** Tells who was turned away, as far as the socket's family has addresses. */
function drop(server: ServerInternals, child: Handle): void {
  if (child.kind === 'tcp') {
    const local: Partial<Address> = {};
    const remote: Partial<Address> = {};
    child.getsockname(local);
    child.getpeername(remote);
    server.emit('drop', {
      __proto__: null,
      localAddress: local.address,
      localPort: local.port,
      localFamily: local.family,
      remoteAddress: remote.address,
      remotePort: remote.port,
      remoteFamily: remote.family,
    });
  } else {
    server.emit('drop');
  }
  child.close();
}

function isBlocked(server: ServerInternals, child: Handle): boolean {
  if (server.blockList === undefined || child.kind !== 'tcp') return false;
  const remote: Partial<Address> = {};
  child.getpeername(remote);
  const version = isIP(remote.address ?? '');
  if (remote.address === undefined || version === 0) return false;
  return server.blockList.check(remote.address, version === 4 ? 'ipv4' : 'ipv6');
}

/** The options that the server has for the sockets of its connections, whoever makes them. */
export function socketOptionsOf(server: ServerInternals): SocketConstructorOptions {
  const options = newOptions();
  options.allowHalfOpen = Boolean(server.allowHalfOpen);
  options.pauseOnCreate = server.pauseOnConnect;
  options.readable = true;
  options.writable = true;
  options.readableHighWaterMark = server.highWaterMark;
  options.writableHighWaterMark = server.highWaterMark;
  options.noDelay = server.noDelay;
  options.keepAlive = server.keepAlive;
  options.keepAliveInitialDelay = server.keepAliveInitialDelay * 1000;
  return options;
}

/** A socket of soref's on the child: the makeSocket of every server that does not have another. */
export function makeSorefSocket(this: ServerInternals, child: Handle): Socket {
  const options = socketOptionsOf(this);
  options.handle = child;
  const socket = new Socket(options);
  if (this.noDelay) child.setNoDelay(true);
  if (this.keepAlive) child.setKeepAlive(true, this.keepAliveInitialDelay);
  return socket;
}

/** Gives an accepted child its socket, which the server then counts, and announces it. */
function acceptChild(server: ServerInternals, child: Handle): void {
  if (isFull(server)) {
    drop(server, child);
    return;
  }
  if (isBlocked(server, child)) {
    child.close();
    return;
  }
  const socket = server[makeSocket](child);
  server._connections += 1;
  socket.server = server as unknown as net.Server;
  (socket as { _server?: unknown })._server = server;
  if (child.attached) server.emit('attach', socket);
  server.emit('connection', socket);
  if (socketChannel.hasSubscribers) socketChannel.publish({ socket });
}

function acceptFailed(server: ServerInternals, errno: number): void {
  server.emit('error', new ErrnoException(errno, 'accept'));
}

/** The Receiver of every listener whose server handles its connections itself. */
export const serverReceiver: Receiver = {
  accepted: (listener, child) => acceptChild(listener.owner as ServerInternals, child),
  acceptFailed: (listener, errno) => acceptFailed(listener.owner as ServerInternals, errno),
};

/**
 * What `server._handle.onconnection` is until somebody replaces it: takes a child, one of ours or
 * one of Node's own, for the server that owns the handle which the function is called on.
 */
export function onconnection(
  this: { owner: unknown },
  errno: number,
  child: Handle | NativeHandle | undefined,
): void {
  const server = this.owner as ServerInternals;
  if (errno !== 0 || child === undefined) {
    acceptFailed(server, errno);
    return;
  }
  if (child instanceof Handle) {
    acceptChild(server, child);
    return;
  }
  const adopted = isNativeHandle(child) ? adoptDuplicate(child, kindOf(child), 'socket') : EINVAL;
  child.close();
  if (typeof adopted === 'number') acceptFailed(server, adopted);
  else acceptChild(server, adopted);
}

const foreignHandlers = new WeakMap<Handle, ConnectionHandler>();

/** The Receiver of a listener whose connections somebody else wants to have. */
const foreignReceiver: Receiver = {
  accepted: (listener, child) => foreignHandlers.get(listener)?.call(listener, 0, child),
  acceptFailed: (listener, errno) =>
    foreignHandlers.get(listener)?.call(listener, errno, undefined),
};

/**
 * Gives a listener to a server. Whoever sets the handle's `onconnection` afterwards gets the
 * connections instead: Node's cluster module does so to distribute them among the workers.
 */
export function receiveConnections(server: ServerInternals, listener: Handle): void {
  listener.owner = server;
  listener.receiver = serverReceiver;
  Object.defineProperty(listener, 'onconnection', {
    configurable: true,
    enumerable: true,
    get: () => foreignHandlers.get(listener) ?? onconnection,
    set: (handler: ConnectionHandler) => {
      foreignHandlers.set(listener, handler);
      listener.receiver = handler === onconnection ? serverReceiver : foreignReceiver;
    },
  });
}
