/**
 * The ways a socket ends: half-close (end, _final), close (destroy, destroySoon) and reset. Closing the handle is
 * done in _destroy and nowhere else, so it happens once.
 */

import { constants } from 'node:os';
import { Duplex } from 'node:stream';
import { ERR_INVALID_HANDLE_TYPE, ERR_SOCKET_CLOSED, ErrnoException } from './errors';
import { sendHeldWrites } from './held-writes';
import {
  type Callback,
  kBytesRead,
  kBytesWritten,
  kTimeout,
  type SocketFields,
} from './socket-fields';

const WAITS_FOR_CONNECT = Number(process.versions.node.split('.')[0]) <= 20;

export function end(
  this: SocketFields,
  data?: unknown,
  encoding?: BufferEncoding,
  callback?: () => void,
): SocketFields {
  Duplex.prototype.end.call(this, data, encoding as BufferEncoding, callback);
  return this;
}

/**
 * All writes are done: sends FIN, when the connection stands. Up to Node 20 a socket that nobody has
 * connected yet waits for that as well; afterwards its end is done at once.
 */
export function _final(this: SocketFields, callback: Callback): unknown {
  if (WAITS_FOR_CONNECT ? this.pending : this.connecting)
    return this.once('connect', () => this._final(callback));
  const handle = this._handle;
  if (!handle) return callback();
  const errno = handle.shutdown(() => callback());
  if (errno === -constants.errno.ENOTCONN) return callback();
  if (errno !== 0) return callback(new ErrnoException(errno, 'shutdown'));
  return undefined;
}

/** Ends the socket and destroys it once everything written has left. */
export function destroySoon(this: SocketFields): void {
  if (this.writable) this.end();
  if (this.writableFinished) this.destroy();
  else this.once('finish', this.destroy);
}

/** Closes with RST, for TCP only; one that is connecting does so when connected. */
export function resetAndDestroy(this: SocketFields): SocketFields {
  const handle = this._handle;
  if (!handle) {
    this.destroy(new ERR_SOCKET_CLOSED());
  } else {
    if (handle.kind !== 'tcp') throw new ERR_INVALID_HANDLE_TYPE();
    if (this.connecting) this.once('connect', () => this._reset());
    else this._reset();
  }
  return this;
}

export function _reset(this: SocketFields): SocketFields {
  this.resetAndClosing = true;
  return this.destroy();
}

export function _destroy(this: SocketFields, error: Error | null, callback: Callback): void {
  this.connecting = false;
  for (let socket: SocketFields | null = this; socket != null; socket = socket._parent) {
    clearTimeout(socket[kTimeout] ?? undefined);
  }
  const handle = this._handle;
  if (handle) {
    const isException = Boolean(error);
    sendHeldWrites(this, handle);
    this[kBytesRead] = handle.bytesRead;
    this[kBytesWritten] = handle.bytesWritten;
    if (this.resetAndClosing) {
      this.resetAndClosing = false;
      const errno = handle.reset(() => emitClosed(this, isException));
      if (errno) {
        // It ends all the same, only not by a reset.
        handle.close(() => emitClosed(this, true));
        this.emit('error', new ErrnoException(errno, 'reset'));
      }
    } else if (this._closeAfterHandlingError) {
      // A microtask runs after the ticks, and 'error' is emitted in a tick: its listeners still find the handle.
      queueMicrotask(() => {
        handle.close(() => {
          emitClosed(this, isException);
          forgetHandle(this);
        });
      });
    } else {
      handle.close(() => emitClosed(this, isException));
    }
    if (!this._closeAfterHandlingError) forgetHandle(this);
    callback(error);
  } else {
    callback(error);
    process.nextTick(emitClose, this);
  }

  const server = this._server;
  if (server) {
    server._connections--;
    server._emitCloseIfDrained?.();
  }
}

function forgetHandle(socket: SocketFields): void {
  socket._handle = null;
  socket._sockname = null;
}

/** The descriptor is closed. */
function emitClosed(socket: SocketFields, isException: boolean): void {
  socket._server?.emit('detach', socket);
  socket.emit('close', isException);
}

/** There was no descriptor. */
function emitClose(socket: SocketFields): void {
  socket.emit('close');
}
