/**
 * The options of the kernel's socket, and ref/unref. What is set before there is a handle is kept, and applied when
 * the connection stands (applyOptions).
 */
import { constants } from 'node:os';
import type { Handle } from '../core/handle';
import { ERR_INVALID_ARG_TYPE, ErrnoException } from './errors';
import {
  kKeepAlive,
  kKeepAliveCount,
  kKeepAliveInitialDelay,
  kKeepAliveInterval,
  kNoDelay,
  kTypeOfService,
  type SocketFields,
} from './socket-fields';
import { validateInt32 } from './validation';

/** The newest Node's form of setKeepAlive with one object. Times are milliseconds. */
export interface KeepAliveOptions {
  enable?: boolean | undefined;
  initialDelay?: number | undefined;
  interval?: number | undefined;
  count?: number | undefined;
}

/** Milliseconds to the whole seconds that the kernel takes (tcp(7), TCP_KEEPIDLE). */
function wholeSeconds(milliseconds: number | undefined): number {
  return Math.trunc(Number(milliseconds) / 1000) | 0;
}

/** Turns Nagle's algorithm off (tcp(7), TCP_NODELAY); true is the default. */
export function setNoDelay(this: SocketFields, enable?: boolean): SocketFields {
  const on = enable === undefined ? true : Boolean(enable);
  if (!this._handle) {
    this[kNoDelay] = on;
  } else if (on !== this[kNoDelay]) {
    this[kNoDelay] = on;
    this._handle.setNoDelay(on);
  }
  return this;
}

/**
 * Keep-alive probes (tcp(7), TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT). Delays are milliseconds, of which whole
 * seconds count; 0 and undefined leave the kernel's value.
 */
export function setKeepAlive(
  this: SocketFields,
  enable?: boolean | KeepAliveOptions,
  initialDelayMilliseconds?: number,
  intervalMilliseconds?: number,
  count?: number,
): SocketFields {
  if (enable !== null && typeof enable === 'object') {
    const options = enable;
    return setKeepAlive.call(
      this,
      options.enable,
      options.initialDelay,
      options.interval,
      options.count,
    );
  }
  const on = Boolean(enable);
  const initialDelay = wholeSeconds(initialDelayMilliseconds);
  const interval =
    intervalMilliseconds === undefined ? undefined : wholeSeconds(intervalMilliseconds);
  const changed =
    on !== this[kKeepAlive] ||
    (on &&
      (initialDelay !== this[kKeepAliveInitialDelay] ||
        interval !== this[kKeepAliveInterval] ||
        count !== this[kKeepAliveCount]));
  if (!changed && this._handle) return this;
  this[kKeepAlive] = on;
  this[kKeepAliveInitialDelay] = initialDelay;
  this[kKeepAliveInterval] = interval;
  this[kKeepAliveCount] = count;
  this._handle?.setKeepAlive(on, initialDelay, interval, count);
  return this;
}

/** IP_TOS or IPV6_TCLASS (ip(7), ipv6(7)), 0 to 255. Throws the system error, syscall 'setTypeOfService'. */
export function setTypeOfService(this: SocketFields, tos: number): SocketFields {
  if (Number.isNaN(tos)) throw new ERR_INVALID_ARG_TYPE('tos', 'number', tos);
  validateInt32(tos, 'tos', 0, 255);
  if (!this._handle) {
    this[kTypeOfService] = tos;
  } else if (tos !== this[kTypeOfService]) {
    this[kTypeOfService] = tos;
    const errno = this._handle.setTypeOfService(tos);
    if (errno) throw new ErrnoException(errno, 'setTypeOfService');
  }
  return this;
}

/** The value that was set, or 0, without a handle; the kernel's otherwise. */
export function getTypeOfService(this: SocketFields): number {
  if (!this._handle) return this[kTypeOfService] ?? 0;
  const value = this._handle.getTypeOfService();
  if (value < 0) throw new ErrnoException(value, 'getTypeOfService');
  return value;
}

/** Applies to a handle, when its connection stands, what was set before. */
export function applyOptions(socket: SocketFields, handle: Handle): void {
  if (socket[kNoDelay]) handle.setNoDelay(true);
  if (socket[kKeepAlive]) {
    handle.setKeepAlive(
      true,
      socket[kKeepAliveInitialDelay],
      socket[kKeepAliveInterval],
      socket[kKeepAliveCount],
    );
  }
  const tos = socket[kTypeOfService];
  if (tos !== undefined) {
    const errno = handle.setTypeOfService(tos);
    // The peer may be gone already, which reading will tell.
    if (errno && errno !== -constants.errno.EBADF) {
      socket.emit('error', new ErrnoException(errno, 'setTypeOfService'));
    }
  }
}

/** Keeps the process alive for this socket, which is the default. Waits for a handle if there is none. */
export function ref(this: SocketFields): SocketFields {
  if (this._handle) this._handle.ref();
  else this.once('connect', ref);
  return this;
}

/** Lets the process exit though this socket is open. */
export function unref(this: SocketFields): SocketFields {
  if (this._handle) this._handle.unref();
  else this.once('connect', unref);
  return this;
}
