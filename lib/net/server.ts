// `net.Server`: the constructor, and the prototype put together from the files server-*.ts.
//
// Server is a function and no class, because it must also work without `new` and as
// `Server.call(this, options)` under util.inherits. An object built on the prototype of Node's own
// Server (http.Server and its like) is Node's, and is initialised by Node's constructor.
import { EventEmitter } from 'node:events';
import type * as net from 'node:net';
import { getDefaultHighWaterMark } from 'node:stream';
import type { Address, Handle } from '../core/handle';
import { noteOrigin } from '../core/origins';
import { ERR_INVALID_ARG_TYPE, ErrnoException } from './errors';
import { setupListenHandle } from './listening-handle';
import type { NativeHandle } from './native-handle';
import { type BlockList, NodeServer } from './node-net';
import { makeSocket, makeSorefSocket } from './server-accept';
import {
  asyncDispose,
  close,
  emitCloseIfDrained,
  getConnections,
  type SocketsElsewhere,
  setupWorker,
} from './server-closing';
import { listen } from './server-listen';
import type { Socket } from './socket';
import { asyncId } from './socket-fields';
import { validateBlockList, validateNumber } from './validation';

/** The options of the constructor (Node's documentation, "net.createServer()"). */
export interface ServerOptions extends net.ServerOpts {
  /** Connections from these addresses are closed without an event. */
  blockList?: net.BlockList | undefined;
}

/** A net.Server, with what soref adds. */
export interface Server extends net.Server {
  /** An accepted connection has got its socket, just before 'connection'. */
  on(event: 'attach', listener: (socket: Socket) => void): this;
  /** The connection has left its socket, by close or by detach(), just before the socket's 'close'. */
  on(event: 'detach', listener: (socket: Socket) => void): this;
  on(event: 'connection', listener: (socket: Socket) => void): this;
  on(event: string, listener: (...details: never[]) => void): this;
}

export interface ServerConstructor {
  new (connectionListener?: (socket: Socket) => void): Server;
  new (options?: ServerOptions, connectionListener?: (socket: Socket) => void): Server;
  (options?: ServerOptions, connectionListener?: (socket: Socket) => void): Server;
  prototype: Server;
}

/** A socket as a server makes it: soref's, or one of Node's. */
export type SocketOfServer = net.Socket & { server?: net.Server | null };

/** A server as lib/net sees it from inside: with the fields that packages know from Node's servers. */
export interface ServerInternals extends EventEmitter {
  allowHalfOpen: boolean;
  pauseOnConnect: boolean;
  noDelay: boolean;
  keepAlive: boolean;
  /** Seconds. */
  keepAliveInitialDelay: number;
  /** Bytes. */
  highWaterMark: number;
  blockList?: BlockList;
  maxConnections?: number | null;
  dropMaxConnection?: boolean;
  _connections: number;
  /** Ours, or the stand-in that a cluster gives its workers; null when the server does not listen. */
  _handle: Handle | NativeHandle | null;
  _usingWorkers: boolean;
  _workers: SocketsElsewhere[];
  _unref: boolean;
  /** Changes with every listen and close: a later answer to an earlier call is known by it. */
  _listeningId: number;
  _pipeName?: string;
  _connectionKey?: string;
  /** The handle's id in async_hooks, under the symbol that Node's own servers have it under. */
  [asyncId]: number;
  [makeSocket](child: Handle): SocketOfServer;
  _listen2: OmitThisParameter<typeof setupListenHandle>;
  _emitCloseIfDrained(): void;
  close(callback?: (error?: Error) => void): this;
  ref(): this;
  unref(): this;
}

type Given = ServerOptions | ((socket: Socket) => void) | null | undefined;

/** Checks the options, and returns a copy in which negative figures have become the defaults. */
function checked(given: Given): ServerOptions {
  if (typeof given === 'function' || given === null || given === undefined) return {};
  if (typeof given !== 'object') throw new ERR_INVALID_ARG_TYPE('options', 'Object', given);
  const options = { ...given };
  const { keepAliveInitialDelay, highWaterMark } = options;
  if (keepAliveInitialDelay !== undefined) {
    validateNumber(keepAliveInitialDelay, 'options.keepAliveInitialDelay');
    if (keepAliveInitialDelay < 0) options.keepAliveInitialDelay = 0;
  }
  if (highWaterMark !== undefined) {
    validateNumber(highWaterMark, 'options.highWaterMark');
    if (highWaterMark < 0) options.highWaterMark = getDefaultHighWaterMark(false);
  }
  return options;
}

const isBaseOf = Object.prototype.isPrototypeOf;

function ServerFunction(this: unknown, options?: Given, connectionListener?: unknown) {
  if (!isBaseOf.call(Server.prototype, this as object)) {
    return this instanceof NodeServer
      ? Reflect.apply(NodeServer as never, this, [options, connectionListener])
      : new Server(options as ServerOptions, connectionListener as (socket: Socket) => void);
  }
  const server = this as ServerInternals;
  noteOrigin(server);
  EventEmitter.call(server as never);
  const listener = typeof options === 'function' ? options : connectionListener;
  const settings = checked(options);
  if (typeof listener === 'function') server.on('connection', listener as () => void);

  server._connections = 0;
  server[asyncId] = -1;
  server._handle = null;
  server._usingWorkers = false;
  server._workers = [];
  server._unref = false;
  server._listeningId = 1;

  server.allowHalfOpen = settings.allowHalfOpen || false;
  server.pauseOnConnect = Boolean(settings.pauseOnConnect);
  server.noDelay = Boolean(settings.noDelay);
  server.keepAlive = Boolean(settings.keepAlive);
  // Whole seconds, and 0 for what is no number, as the kernel's option takes it.
  server.keepAliveInitialDelay = ~~((settings.keepAliveInitialDelay ?? 0) / 1000);
  server.highWaterMark = settings.highWaterMark ?? getDefaultHighWaterMark(false);
  if (settings.blockList) {
    validateBlockList(settings.blockList, 'options.blockList');
    server.blockList = settings.blockList;
  }
  return undefined;
}
Object.defineProperty(ServerFunction, 'name', { value: 'Server', configurable: true });

export const Server = ServerFunction as unknown as ServerConstructor;

Object.setPrototypeOf(Server, EventEmitter);
Object.setPrototypeOf(Server.prototype, EventEmitter.prototype);

/** Servers of Node's own (http.Server, tls.Server) are instances too, as they are of Node's. */
Object.defineProperty(Server, Symbol.hasInstance, {
  value: function hasInstance(this: unknown, candidate: unknown): boolean {
    const isOwn = Function.prototype[Symbol.hasInstance].call(this as () => void, candidate);
    return isOwn || (this === Server && candidate instanceof NodeServer);
  },
});

/** The bound address; a path for a Unix socket; null when the server does not listen. */
function address(this: ServerInternals): Partial<Address> | string | null {
  const handle = this._handle;
  // Only TCP handles have one, as Node's handles of pipes lack the method.
  const named = handle !== null && (!('kind' in handle) || handle.kind === 'tcp');
  if (named && typeof handle.getsockname === 'function') {
    const out: Partial<Address> = {};
    const errno = handle.getsockname(out);
    if (errno !== 0) throw new ErrnoException(errno, 'address');
    return out;
  }
  return this._pipeName || null;
}

/** What EventEmitter does with a promise that a listener returned and that was rejected. */
function rejected(this: ServerInternals, error: Error, event: string, socket: Socket): void {
  if (event === 'connection') socket.destroy(error);
  else this.emit('error', error);
}

function ref(this: ServerInternals): ServerInternals {
  this._unref = false;
  this._handle?.ref?.();
  return this;
}

function unref(this: ServerInternals): ServerInternals {
  this._unref = true;
  this._handle?.unref?.();
  return this;
}

// In Node's order, for programs list the members of a prototype.
Object.assign(Server.prototype, { _listen2: setupListenHandle, listen });
Object.defineProperty(Server.prototype, 'listening', {
  get(this: ServerInternals) {
    return Boolean(this._handle);
  },
  configurable: true,
  enumerable: true,
});
Object.assign(Server.prototype, {
  address,
  getConnections,
  close,
  [Symbol.asyncDispose]: asyncDispose,
  _emitCloseIfDrained: emitCloseIfDrained,
  [EventEmitter.captureRejectionSymbol]: rejected,
  _setupWorker: setupWorker,
  ref,
  unref,
});

// soref's own members do not show in listings.
Object.defineProperty(Server.prototype, makeSocket, {
  value: makeSorefSocket,
  writable: true,
  configurable: true,
});

/** A new server; a function given alone listens to 'connection'. Throws what the constructor throws. */
export function createServer(
  options?: Given,
  connectionListener?: (socket: Socket) => void,
): Server {
  return new Server(options as ServerOptions, connectionListener);
}
