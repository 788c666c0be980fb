/**
 * Giving a descriptor to a socket (attach) and taking it away again (detach). A descriptor has one owner at any time:
 * until attach returned it is the caller's, from detach on it is the caller's again, and between it is the socket's.
 */
import { Handle } from '../core/handle';
import { ERR_SOREF_DETACHED, ErrnoException } from './errors';
import type { Detached, Socket, SocketConstructor } from './socket';
import type { SocketConstructorOptions } from './socket-constructor-options';
import { kBuffer, kBytesRead, kBytesWritten, type SocketFields } from './socket-fields';
import { validateInt32, validateObject } from './validation';

/**
 * `Socket.attach(descriptor | detached, options)`. What detach() found unread is read first, and what it found
 * unsent is sent first. If it throws, the descriptor is still the caller's.
 */
export function attach(
  this: SocketConstructor,
  source: number | Detached,
  options: SocketConstructorOptions = {},
): Socket {
  const detached = typeof source === 'object' && source !== null ? source : undefined;
  const descriptor = detached ? detached.fd : source;
  validateInt32(descriptor, detached ? 'descriptor.fd' : 'descriptor', 0);
  validateObject(options, 'options');
  const handle = new Handle('tcp', 'socket');
  const errno = handle.attach(descriptor);
  if (errno !== 0) throw new ErrnoException(errno, 'open');
  // The core starts reading only when the old bytes are in the stream, so that they come first.
  const socket = new this({ ...options, handle, manualStart: true } as SocketConstructorOptions);
  if (detached) restore(socket as unknown as SocketFields, detached);
  if (options.readable !== false && !options.manualStart && !options.pauseOnCreate) socket.read(0);
  return socket;
}

function restore(socket: SocketFields, { head = [], tail = [] }: Detached): void {
  const handle = socket._handle as Handle;
  const length = head.reduce((sum, chunk) => sum + chunk.length, 0);
  // The program gets them from this socket, as if it had received them.
  handle.bytesRead += length;
  if (!socket[kBuffer]) for (const chunk of head) socket.push(chunk);
  else if (length > 0) handle.unread(Buffer.concat(head, length));
  for (const chunk of tail) socket.write(chunk);
}

/** Whether the socket holds a descriptor. */
export function attached(this: SocketFields): boolean {
  return this._handle?.attached ?? false;
}

/**
 * Takes the descriptor from the socket, with every byte that was received and not read, and every byte that was
 * written and not sent. The socket is destroyed without touching the connection: 'detach', then 'close' are emitted
 * in a later tick. Callbacks of writes whose bytes left this way are called, each once.
 */
export function detach(this: SocketFields): Detached {
  const handle = this._handle;
  if (!handle?.attached || this.connecting) throw new ERR_SOREF_DETACHED();
  this[kBytesRead] = handle.bytesRead;
  this[kBytesWritten] = handle.bytesWritten;
  const unread = takeUnread(this);
  const unsent = takeUnsent(this);
  const { fd, head, tail } = handle.detach();
  this._handle = null;
  this._sockname = null;

  process.nextTick(emitDetach, this);
  this.destroy();
  if (handle.writeCallback) process.nextTick(handle.writeCallback, null);
  return { fd, head: unread.concat(head), tail: tail.concat(unsent) };
}

function emitDetach(socket: SocketFields): void {
  socket.emit('detach');
  socket._server?.emit('detach', socket);
}

/** Takes what the stream read ahead, including the beginning of a character that its decoder holds. */
function takeUnread(socket: SocketFields): Buffer[] {
  const { buffer, bufferIndex = 0, decoder, encoding } = socket._readableState;
  const unread = [...buffer]
    .slice(bufferIndex)
    .map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk, encoding ?? 'utf8') : chunk));
  if (decoder && decoder.lastNeed > 0) {
    unread.push(Buffer.from(decoder.lastChar.subarray(0, decoder.lastTotal - decoder.lastNeed)));
  }
  // A stream that was about to emit it, as in the middle of its 'data' events, finds nothing left.
  socket._readableState.length = 0;
  return unread;
}

/** What waits in the stream behind the write that the core has. */
function takeUnsent(socket: SocketFields): Buffer[] {
  return (socket.writableBuffer ?? []).map(({ chunk, encoding }) =>
    typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk,
  );
}
