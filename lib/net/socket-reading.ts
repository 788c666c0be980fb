/**
 * The readable side: what the core delivers goes into the stream's buffer, or into the caller's own buffer (option
 * `onread`), and a full buffer stops the core's reading. Called by the stream machinery and, through `receiver`,
 * by the core.
 */
import { constants } from 'node:os';
import { Duplex } from 'node:stream';
import { isUint8Array } from 'node:util/types';
import type { Handle, Receiver } from '../core/handle';
import { ErrnoException } from './errors';
import { kBuffer, kBufferCallback, kBufferGenerator, type SocketFields } from './socket-fields';
import { writeAfterEndOfReading } from './socket-writing';

/** The functions that the core calls for every socket. */
export const receiver: Receiver = {
  received(handle: Handle, data: Buffer): void {
    const socket = handle.owner as SocketFields;
    socket._unrefTimer();
    if (socket.destroyed) return;
    if (socket[kBuffer]) {
      fillCallersBuffer(socket, handle, data);
    } else if (!socket.push(data)) {
      stopReading(socket, handle);
    }
  },

  ended(handle: Handle): void {
    const socket = handle.owner as SocketFields;
    socket._unrefTimer();
    if (socket.destroyed || socket._readableState.endEmitted) return;
    socket.push(null);
    // Without this a stream that nobody reads would never notice its end.
    socket.read(0);
  },

  failed(handle: Handle, errno: number, syscall: 'read' | 'write'): void {
    const socket = handle.owner as SocketFields;
    socket._unrefTimer();
    socket.destroy(new ErrnoException(errno, syscall));
  },
};

function stopReading(socket: SocketFields, handle: Handle): void {
  if (socket.destroyed) return;
  const errno = handle.readStop();
  if (errno) socket.destroy(new ErrnoException(errno, 'read'));
}

function startReading(socket: SocketFields, handle: Handle): void {
  const errno = handle.readStart();
  if (errno) socket.destroy(new ErrnoException(errno, 'read'));
}

/** As much of a chunk as the caller's buffer has room for; the callback's answer false pauses the socket. */
function fillCallersBuffer(socket: SocketFields, handle: Handle, data: Buffer): void {
  const buffer = socket[kBuffer] as Uint8Array;
  const length = data.copy(buffer);
  // Before the callback, which may throw, or take the descriptor away with what was not read.
  if (length < data.length) handle.unread(data.subarray(length));
  if (length === 0) {
    socket.destroy(new ErrnoException(-constants.errno.ENOBUFS, 'read'));
    return;
  }
  const more = socket[kBufferCallback]?.(length, buffer);
  const next = socket[kBufferGenerator]?.();
  if (isUint8Array(next)) socket[kBuffer] = next;
  if (more === false) stopReading(socket, handle);
}

/** stream.Readable's demand for data. Before the connection stands the demand waits for it. */
export function _read(this: SocketFields, size: number): void {
  const handle = this._handle;
  if (this.connecting || !handle) {
    this.once('connect', () => this._read(size));
  } else if (!handle.reading) {
    startReading(this, handle);
  }
}

/** With a caller's buffer there is no stream buffer that could fill up, so pausing goes straight to the core. */
export function pause(this: SocketFields): SocketFields {
  if (this[kBuffer] && !this.connecting && this._handle?.reading) stopReading(this, this._handle);
  return Duplex.prototype.pause.call(this) as SocketFields;
}

export function resume(this: SocketFields): SocketFields {
  resumeCallersBuffer(this);
  return Duplex.prototype.resume.call(this) as SocketFields;
}

export function read(this: SocketFields, size?: number): unknown {
  resumeCallersBuffer(this);
  return Duplex.prototype.read.call(this, size);
}

function resumeCallersBuffer(socket: SocketFields): void {
  if (!socket[kBuffer] || socket.connecting) return;
  const handle = socket._handle;
  if (handle && !handle.reading) startReading(socket, handle);
}

/** The listener of 'end': writes after the peer's FIN get an error that says what happened. */
export function endOfReading(this: SocketFields): void {
  if (!this.allowHalfOpen) this.write = writeAfterEndOfReading as SocketFields['write'];
}
