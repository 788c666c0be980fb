/**
 * Idle timeouts. A timer exists only while a timeout is set; activity of the socket pushes it back, and it never
 * keeps the process alive.
 */
import { setTimeout as startTimer } from 'node:timers';
import { kLastWriteQueueSize, kTimeout, type SocketFields } from './socket-fields';
import { validateFunction, validateTimerDuration } from './validation';

/**
 * Emits 'timeout' after `milliseconds` without activity; 0 turns that off. `callback` is added once as a listener
 * of 'timeout', or removed from them with 0. The socket stays as it is: closing it is the listener's choice.
 */
export function setTimeout(
  this: SocketFields,
  milliseconds: number,
  callback?: () => void,
): SocketFields {
  if (this.destroyed) return this;
  this.timeout = milliseconds;
  const delay = validateTimerDuration(milliseconds, 'msecs');
  clearTimeout(this[kTimeout] ?? undefined);
  if (delay > 0) {
    this[kTimeout] = startTimer(expire, delay, this).unref();
  }
  if (callback !== undefined) {
    validateFunction(callback, 'callback');
    if (delay > 0) this.once('timeout', callback);
    else this.removeListener('timeout', callback);
  }
  return this;
}

function expire(socket: SocketFields): void {
  socket._onTimeout();
}

/** A write that makes progress is activity, though it ends only when all of it has left. */
export function _onTimeout(this: SocketFields): void {
  const handle = this._handle;
  const before = this[kLastWriteQueueSize];
  if (before > 0 && handle) {
    const now = handle.writeQueueSize;
    if (before !== now) {
      this[kLastWriteQueueSize] = now;
      this._unrefTimer();
      return;
    }
  }
  this.emit('timeout');
}

/** Starts the idle time anew, also that of the sockets which this one stands for. */
export function _unrefTimer(this: SocketFields): void {
  for (let socket: SocketFields | null = this; socket != null; socket = socket._parent) {
    socket[kTimeout]?.refresh();
  }
}
