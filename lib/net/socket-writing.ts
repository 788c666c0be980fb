/**
 * The writable side: chunks go to the core, and the stream's callback is called exactly once for each, at once when
 * the core took the chunk or later when it is through. Called by the stream machinery.
 */
import { constants } from 'node:os';
import { Duplex } from 'node:stream';
import type { Done, Handle } from '../core/handle';
import {
  ERR_SOCKET_CLOSED,
  ERR_SOCKET_CLOSED_BEFORE_CONNECTION,
  ErrnoException,
  endedByPeer,
  notABuffer,
} from './errors';
import {
  type Callback,
  type Chunks,
  kAfterAsyncWrite,
  kLastWriteQueueSize,
  type SocketFields,
} from './socket-fields';

export function _write(
  this: SocketFields,
  data: Buffer | string,
  encoding: BufferEncoding,
  callback: Callback,
): void {
  this._writeGeneric(false, data, encoding, callback);
}

export function _writev(this: SocketFields, chunks: Chunks, callback: Callback): void {
  this._writeGeneric(true, chunks, '', callback);
}

/** Writes one chunk, or many at once. While the connection is made the write waits, and bytesWritten counts it. */
export function _writeGeneric(
  this: SocketFields,
  many: boolean,
  data: Buffer | string | Chunks,
  encoding: BufferEncoding | '' | 'buffer',
  callback: Callback,
): boolean | undefined {
  if (this.connecting) {
    writeWhenConnected(this, many, data, encoding, callback);
    return undefined;
  }
  this._pendingData = null;
  this._pendingEncoding = '';

  const handle = this._handle;
  if (!handle) {
    callback(new ERR_SOCKET_CLOSED());
    return false;
  }
  this._unrefTimer();
  if (!handle.attached) {
    // Somebody closed the handle under the socket. Told at once, before the stream tries to read.
    callback(new ErrnoException(-constants.errno.EBADF, 'write'));
    return undefined;
  }

  const charset = encoding === 'buffer' || encoding === '' ? undefined : encoding;
  if (encoding === 'buffer' && typeof data === 'string') throw notABuffer();
  const done = doneFor(this, handle, callback);
  const taken = many
    ? handle.writev(data as Chunks, done)
    : handle.write(data as Buffer | string, charset, done);
  if (taken) {
    if (done === writeDone) handle.writeCallback = null;
    callback();
  } else {
    this[kLastWriteQueueSize] = handle.writeQueueSize;
  }
  return undefined;
}

/**
 * What the core calls when the write is through. A stream has one write at a time, so its callback waits in a field
 * of the handle, which may have got another owner by then; only a write past the stream's queue needs a function of
 * its own.
 */
function doneFor(socket: SocketFields, handle: Handle, callback: Callback): Done {
  if (handle.writeCallback !== null) return (errno) => finishWrite(socket, callback, errno);
  handle.writeCallback = callback;
  return writeDone;
}

const writeDone: Done = function (errno) {
  const handle = this as Handle;
  const callback = handle.writeCallback as Callback;
  handle.writeCallback = null;
  finishWrite(handle.owner as SocketFields, callback, errno);
};

function finishWrite(socket: SocketFields, callback: Callback, errno: number): void {
  if (socket.destroyed) {
    // The stream has reported its destruction already.
    callback(null);
  } else if (errno < 0) {
    callback(new ErrnoException(errno, 'write'));
  } else {
    socket._unrefTimer();
    socket[kAfterAsyncWrite]();
    callback(null);
  }
}

/** Nothing of a write is left in the core, so that the next timeout counts. */
export function afterAsyncWrite(this: SocketFields): void {
  this[kLastWriteQueueSize] = 0;
}

function writeWhenConnected(
  socket: SocketFields,
  many: boolean,
  data: Buffer | string | Chunks,
  encoding: BufferEncoding | '' | 'buffer',
  callback: Callback,
): void {
  socket._pendingData = data;
  socket._pendingEncoding = encoding;
  const closed = () => callback(new ERR_SOCKET_CLOSED_BEFORE_CONNECTION());
  socket.once('connect', () => {
    socket.off('close', closed);
    socket._writeGeneric(many, data, encoding, callback);
  });
  socket.once('close', closed);
}

/** Takes the place of `write` once the peer's FIN ended a socket that is not half-open. */
export function writeAfterEndOfReading(
  this: SocketFields,
  chunk: unknown,
  encoding?: unknown,
  callback?: unknown,
): boolean {
  if (!this.writableEnded) {
    return Duplex.prototype.write.call(
      this,
      chunk,
      encoding as BufferEncoding,
      callback as Callback,
    );
  }
  const error = endedByPeer();
  const listener = typeof encoding === 'function' ? encoding : callback;
  if (typeof listener === 'function') process.nextTick(listener as Callback, error);
  this.destroy(error);
  return false;
}
