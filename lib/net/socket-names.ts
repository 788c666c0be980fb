/**
 * A socket's addresses, its counters of bytes, and the words for its state. The peer's name is kept once read, so
 * that it is still known when the peer has gone.
 */
import type { Address } from '../core/handle';
import { type Chunks, kBound, kBytesRead, kBytesWritten, type SocketFields } from './socket-fields';

export function _getpeername(this: SocketFields): Partial<Address> {
  const handle = this._handle;
  if (!handle || this.connecting) return this._peername ?? {};
  if (!this._peername) {
    const out: Partial<Address> = {};
    if (handle.getpeername(out) !== 0) return out;
    this._peername = out;
  }
  return this._peername;
}

export function _getsockname(this: SocketFields): Partial<Address> {
  const path = this[kBound]?.path;
  if (path !== undefined) return { address: path };
  if (!this._handle) return {};
  if (!this._sockname) {
    this._sockname = {};
    // A handle of somebody else's need not have one.
    this._handle.getsockname?.(this._sockname);
  }
  return this._sockname;
}

/** The local address, or an empty object without one (Node's documentation, socket.address). */
export function address(this: SocketFields): Partial<Address> {
  return this._getsockname();
}
export function remoteAddress(this: SocketFields): string | undefined {
  return this._getpeername().address;
}
export function remoteFamily(this: SocketFields): string | undefined {
  return this._getpeername().family;
}
export function remotePort(this: SocketFields): number | undefined {
  return this._getpeername().port;
}
export function localAddress(this: SocketFields): string | undefined {
  return this._getsockname().address;
}
export function localFamily(this: SocketFields): string | undefined {
  return this._getsockname().family;
}
export function localPort(this: SocketFields): number | undefined {
  return this._getsockname().port;
}

/** The bytes that the program was given, or can read from the stream's buffer. */
export function bytesRead(this: SocketFields): number {
  return this._handle ? this._handle.bytesRead : this[kBytesRead];
}

/** The bytes that went to the kernel. */
export function _bytesDispatched(this: SocketFields): number {
  return this._handle ? this._handle.bytesWritten : this[kBytesWritten];
}

/** The bytes that went to the kernel, and those which still wait in the stream. */
export function bytesWritten(this: SocketFields): number | undefined {
  const waiting = this.writableBuffer;
  if (!waiting) return undefined;
  return this._bytesDispatched + lengthOf(waiting) + lengthOfPending(this);
}

function lengthOfPending(socket: SocketFields): number {
  const data = socket._pendingData;
  if (!data) return 0;
  if (typeof data === 'string') return Buffer.byteLength(data, encodingOf(socket._pendingEncoding));
  return Array.isArray(data) ? lengthOf(data as Chunks) : data.length;
}

function lengthOf(chunks: Chunks): number {
  let length = 0;
  for (const { chunk, encoding } of chunks) {
    length +=
      typeof chunk === 'string' ? Buffer.byteLength(chunk, encodingOf(encoding)) : chunk.length;
  }
  return length;
}

function encodingOf(encoding: string): BufferEncoding {
  return encoding as BufferEncoding;
}

export function bufferSize(this: SocketFields): number | undefined {
  return this._handle ? this.writableLength : undefined;
}

export function pending(this: SocketFields): boolean {
  return !this._handle || this.connecting;
}

export function _connecting(this: SocketFields): boolean {
  return this.connecting;
}

export function readyState(this: SocketFields): string {
  if (this.connecting) return 'opening';
  if (this.readable) return this.writable ? 'open' : 'readOnly';
  return this.writable ? 'writeOnly' : 'closed';
}
