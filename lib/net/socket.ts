/**
 * `net.Socket`: the constructor, and the prototype put together from the files socket-*.ts. A socket is a real
 * stream.Duplex over one Handle of the core, or over none before connect and after close.
 *
 * Socket is a function and no class, because it must also work without `new` and as `Socket.call(this, options)`
 * under util.inherits. What belongs to Node stays Node's: an object built on Node's own prototype is initialised by
 * Node's constructor, and a handle or descriptor that the core cannot hold gets a socket of Node's.
 */
import { fstatSync } from 'node:fs';
import type * as net from 'node:net';
import { Duplex } from 'node:stream';
import { isUint8Array } from 'node:util/types';
import { Handle } from '../core/handle';
import { addAbortSignal } from './abort-signal';
import { isBoundSocket, takeBoundSocket } from './bound-socket';
import { ErrnoException } from './errors';
import { initializeAsNodes, isCounterpart, pairWithNode } from './node-counterpart';
import { NodeSocket } from './node-net';
import { _destroy, _final, _reset, destroySoon, end, resetAndDestroy } from './socket-closing';
import { connect } from './socket-connect';
import {
  checkOptions,
  ownOptions,
  type SocketConstructorOptions,
} from './socket-constructor-options';
import {
  type AcceptingServer,
  asyncId,
  kAfterAsyncWrite,
  kBound,
  kBuffer,
  kBufferCallback,
  kBufferGenerator,
  kBytesRead,
  kBytesWritten,
  kHandle,
  kKeepAlive,
  kKeepAliveInitialDelay,
  kLastWriteQueueSize,
  kNoDelay,
  kReinitializeHandle,
  kTimeout,
  kTypeOfService,
  kUpdateTimer,
  type SocketFields,
} from './socket-fields';
import { initializeHandle, reinitializeHandle } from './socket-handle';
import * as names from './socket-names';
import * as socketOptions from './socket-options';
import { attach, attached, detach } from './socket-ownership';
import { _read, endOfReading, pause, read, resume } from './socket-reading';
import * as timeouts from './socket-timeout';
import { _write, _writeGeneric, _writev, afterAsyncWrite } from './socket-writing';
import { validateBlockList, validateInt32 } from './validation';

/** A socket whose descriptor has left it. */
export interface Detached {
  /** Owned by whoever has this object: to be closed or attached exactly once. */
  fd: number;
  /** Received from the peer and not read by the program, in order. */
  head: Buffer[];
  /** Written by the program and not sent yet, in order. */
  tail: Buffer[];
}

/** A net.Socket, with what soref adds. */
export interface Socket extends net.Socket {
  /** The server that accepted the connection, or null. */
  server: net.Server | null;
  _server: AcceptingServer | null;
  /** Whether the socket holds a descriptor: from connect, accept or attach until close or detach. */
  readonly attached: boolean;
  /**
   * Gives the descriptor away. Emits 'detach', then 'close'. Throws ERR_SOREF_DETACHED when there is
   * no descriptor to give.
   */
  detach(): Detached;
  /** Sets IP_TOS / IPV6_TCLASS, 0 to 255 (Node's documentation, socket.setTypeOfService). */
  setTypeOfService(tos: number): this;
  getTypeOfService(): number;
}

export interface SocketConstructor {
  new (options?: SocketConstructorOptions | number): Socket;
  (options?: SocketConstructorOptions | number): Socket;
  prototype: Socket;
  /**
   * Adopts the descriptor of a connected stream socket, TCP or Unix, or what detach() gave.
   * @throws Node's system error, syscall 'open', if the descriptor is no such socket; nothing is then attached.
   */
  attach(descriptor: number | Detached, options?: SocketConstructorOptions): Socket;
}

/** Standard input, output and error belong to Node, and so do pipes, files and terminals. */
function belongsToNode(descriptor: unknown): boolean {
  if (typeof descriptor !== 'number' || !(descriptor > 2)) return true;
  try {
    return !fstatSync(descriptor).isSocket();
  } catch {
    return true;
  }
}

function isBuiltOn(prototype: object, value: unknown): boolean {
  return Object.prototype.isPrototypeOf.call(prototype, value as object);
}

// The function's own name is what stack traces show.
const SocketFunction = function Socket(
  this: unknown,
  given?: SocketConstructorOptions | number,
): SocketFields | net.Socket | undefined {
  if (!isBuiltOn(SocketFunction.prototype, this)) {
    if (isBuiltOn(NodeSocket.prototype, this)) {
      return Reflect.apply(NodeSocket as never, this, [given]);
    }
    return Reflect.construct(SocketFunction, [given]);
  }
  const self = this as SocketFields;
  const options = ownOptions(given);
  const { handle, fd } = options;
  const isBound = !(handle instanceof Handle) && isBoundSocket(handle);
  if (handle ? !(handle instanceof Handle || isBound) : fd !== undefined && belongsToNode(fd)) {
    initializeAsNodes(self, given);
    return undefined;
  }
  checkOptions(options);

  self.connecting = false;
  self[asyncId] = -1;
  self._hadError = false;
  self[kHandle] = null;
  self._parent = null;
  self._host = null;
  self[kLastWriteQueueSize] = 0;
  self[kTimeout] = null;
  self[kBuffer] = null;
  self[kBufferCallback] = null;
  self[kBufferGenerator] = null;
  self._closeAfterHandlingError = false;

  Reflect.apply(Duplex as never, self, [options]);

  if (isBound) {
    const bound = takeBoundSocket(handle);
    self._handle = bound.handle;
    self[kBound] = { path: bound.path };
  } else if (handle) {
    self._handle = handle as Handle;
  } else if (fd !== undefined) {
    const adopted = new Handle('tcp', 'socket');
    const errno = adopted.attach(fd);
    if (errno !== 0) throw new ErrnoException(errno, 'open');
    self._handle = adopted;
  }

  const { onread } = options;
  if (
    onread !== null &&
    typeof onread === 'object' &&
    (isUint8Array(onread.buffer) || typeof onread.buffer === 'function') &&
    typeof onread.callback === 'function'
  ) {
    if (typeof onread.buffer === 'function') {
      self[kBuffer] = true;
      self[kBufferGenerator] = onread.buffer as () => Uint8Array;
    } else {
      self[kBuffer] = onread.buffer;
    }
    self[kBufferCallback] = onread.callback;
  }

  self[kNoDelay] = Boolean(options.noDelay);
  self[kKeepAlive] = Boolean(options.keepAlive);
  self[kKeepAliveInitialDelay] = Math.trunc((options.keepAliveInitialDelay ?? 0) / 1000) | 0;
  if (options.typeOfService !== undefined) {
    validateInt32(options.typeOfService, 'options.typeOfService', 0, 255);
  }
  self[kTypeOfService] = options.typeOfService;

  self.on('end', endOfReading);
  initializeHandle(self);
  self._pendingData = null;
  self._pendingEncoding = '';

  // With a connection, data flows into the stream's buffer at once; without one it will when connected.
  if (self._handle && !isBound && options.readable !== false) {
    if (options.pauseOnCreate) {
      self._handle.readStop();
      (self as { readableFlowing: boolean | null }).readableFlowing = false;
    } else if (!options.manualStart) {
      self.read(0);
    }
  }

  if (options.signal) addAbortSignal(self, options.signal);

  self.server = null;
  self._server = null;
  self[kBytesRead] = 0;
  self[kBytesWritten] = 0;
  if (options.blockList) {
    validateBlockList(options.blockList, 'options.blockList');
    self.blockList = options.blockList;
  }
  return undefined;
};

pairWithNode(SocketFunction.prototype);
Object.setPrototypeOf(SocketFunction.prototype, Duplex.prototype);
Object.setPrototypeOf(SocketFunction, Duplex);

/** net.Socket (Node's documentation, class net.Socket). */
export const Socket = SocketFunction as unknown as SocketConstructor;

Object.assign(SocketFunction.prototype, {
  _unrefTimer: timeouts._unrefTimer,
  _final,
  setTimeout: timeouts.setTimeout,
  _onTimeout: timeouts._onTimeout,
  setNoDelay: socketOptions.setNoDelay,
  setKeepAlive: socketOptions.setKeepAlive,
  setTypeOfService: socketOptions.setTypeOfService,
  getTypeOfService: socketOptions.getTypeOfService,
  address: names.address,
  _read,
  end,
  resetAndDestroy,
  pause,
  resume,
  read,
  destroySoon,
  _destroy,
  _reset,
  _getpeername: names._getpeername,
  _getsockname: names._getsockname,
  [kAfterAsyncWrite]: afterAsyncWrite,
  _writeGeneric,
  _writev,
  _write,
  connect,
  [kReinitializeHandle]: reinitializeHandle,
  ref: socketOptions.ref,
  unref: socketOptions.unref,
});

/** Defines accessors with the attributes that Node's have, so that listings of both sockets agree. */
function defineGetters(
  getters: Record<string, (this: SocketFields) => unknown>,
  attributes: PropertyDescriptor,
): void {
  for (const [name, get] of Object.entries(getters)) {
    Object.defineProperty(SocketFunction.prototype, name, { ...attributes, get });
  }
}

defineGetters(
  {
    bytesRead: names.bytesRead,
    remoteAddress: names.remoteAddress,
    remoteFamily: names.remoteFamily,
    remotePort: names.remotePort,
    localAddress: names.localAddress,
    localPort: names.localPort,
    localFamily: names.localFamily,
    _bytesDispatched: names._bytesDispatched,
    bytesWritten: names.bytesWritten,
  },
  { enumerable: true },
);
defineGetters({ pending: names.pending }, { configurable: true });
defineGetters(
  { _connecting: names._connecting, readyState: names.readyState, bufferSize: names.bufferSize },
  {},
);
Object.defineProperty(SocketFunction.prototype, kUpdateTimer, {
  get(this: SocketFields) {
    return this._unrefTimer;
  },
});
Object.defineProperty(SocketFunction.prototype, '_handle', {
  get(this: SocketFields) {
    return this[kHandle];
  },
  set(this: SocketFields, handle: Handle | null) {
    this[kHandle] = handle;
  },
});

// soref's own members do not show in listings.
defineGetters({ attached }, { configurable: true });
Object.defineProperty(SocketFunction.prototype, 'detach', {
  value: detach,
  writable: true,
  configurable: true,
});
Object.defineProperty(SocketFunction, 'attach', {
  value: attach,
  writable: true,
  configurable: true,
});

/** Node's own sockets, such as a child's standard streams or a TLS socket, are sockets here too. */
const instanceOf = Function.prototype[Symbol.hasInstance];
Object.defineProperty(SocketFunction, Symbol.hasInstance, {
  value(this: unknown, value: unknown): boolean {
    if (instanceOf.call(this as never, value)) return true;
    return isCounterpart((this as SocketConstructor).prototype, value);
  },
  configurable: true,
});
