/**
 * Joins a socket and its handle: the one place where a handle gets its owner and its receiver. The constructor,
 * connect() and the attempts of happy eyeballs call it.
 */
import { isUint8Array } from 'node:util/types';
import { Handle } from '../core/handle';
import { noteOrigin } from '../core/origins';
import { NodeSocket } from './node-net';
import {
  asyncId,
  kBuffer,
  kBufferGenerator,
  kReinitializeHandle,
  type SocketFields,
} from './socket-fields';
import { receiver } from './socket-reading';

/** Prepares a new socket, or one that is used again after it was closed, for the handle that it has or will get. */
export function initializeHandle(socket: SocketFields): void {
  noteOrigin(socket);
  socket._undestroy();
  socket._sockname = null;
  const handle = socket._handle;
  if (!handle) return;
  handle.owner = socket;
  handle.receiver = receiver;
  socket[asyncId] = handle.getAsyncId();
  if (socket[kBuffer]) {
    const generate = socket[kBufferGenerator];
    if (generate) {
      const buffer = generate();
      if (isUint8Array(buffer)) socket[kBuffer] = buffer;
    }
  }
}

/**
 * Closes the handle that the socket has and gives it another one. Node's TLSSocket, which has handles of
 * Node's, looks this function up among the exports of `net`.
 */
export function reinitializeHandle(this: SocketFields, handle: Handle): void {
  if (!(handle instanceof Handle)) {
    (NodeSocket.prototype as unknown as SocketFields)[kReinitializeHandle].call(this, handle);
    return;
  }
  this._handle?.close();
  this._handle = handle;
  initializeHandle(this);
}
