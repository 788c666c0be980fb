/**
 * One attempt to connect, to an address or a path, and what follows from its result. connect() uses it when there is
 * one candidate; family-selection.ts uses its parts for each of several.
 */
import { constants } from 'node:os';
import type { AccessDenied, Address, ConnectRequest, Handle } from '../core/handle';
import { type Measure, measureConnect } from './connect-performance';
import { ERR_IP_BLOCKED, ExceptionWithHostPort } from './errors';
import { isIP } from './node-net';
import type { Destination } from './socket-connect';
import type { SocketFields } from './socket-fields';
import { applyOptions } from './socket-options';

/** The address that stands for any of the host's own, by family. */
const anyAddress = { 4: '0.0.0.0', 6: '::' } as const;

export interface Attempt {
  address: string;
  port: number;
  family: 4 | 6;
  localAddress: string | undefined;
  localPort: number | undefined;
}

/** Joins what the caller asked for with one of the addresses that his host has. */
export function attemptOf(destination: Destination, address: string, family: 4 | 6): Attempt {
  const { port, localAddress, localPort } = destination;
  const bound = localAddress !== undefined || localPort !== undefined;
  return {
    address,
    port,
    family,
    localAddress: localAddress ?? (bound ? anyAddress[family] : undefined),
    localPort,
  };
}

/** A port that is in use is told only when the socket is used, and asking for its name is a use. */
function bindTo(handle: Handle, address: string, port: number): number {
  const errno = handle.bindAddress(address, port);
  if (errno !== 0 || !(port > 0)) return errno;
  const name: Partial<Address> = {};
  const failure = handle.getsockname(name);
  // What is no port has become some other one on its way to the kernel.
  return failure === 0 && name.port !== port ? -constants.errno.EADDRINUSE : failure;
}

/** Binds the attempt's local address, if it has one. Returns the error that the socket shall have. */
export function bindLocal(handle: Handle, attempt: Attempt): Error | undefined {
  const { family, localAddress, localPort } = attempt;
  if (localAddress === undefined) return undefined;
  const errno =
    isIP(localAddress) === family
      ? bindTo(handle, localAddress, localPort ?? 0)
      : -constants.errno.EINVAL;
  if (errno === 0) return undefined;
  return new ExceptionWithHostPort(errno, 'bind', localAddress, localPort);
}

/** Starts to connect. A lookup that gives an address of another family than it says has given none. */
export function startConnecting(handle: Handle, attempt: Attempt, request: ConnectRequest) {
  const { address, port, family } = attempt;
  if (isIP(address) !== family) return -constants.errno.EINVAL;
  return handle.connect(request, address, port);
}

export function isBlocked(socket: SocketFields, { address, family }: Attempt): boolean {
  return socket.blockList?.check(address, `ipv${family}`) ?? false;
}

/** The error of an attempt that failed after it had been started. */
export function attemptError(attempt: Attempt, errno: number): Error {
  const { address, port, localAddress, localPort } = attempt;
  if (!localAddress || !localPort) {
    return new ExceptionWithHostPort(errno, 'connect', address, port);
  }
  const local = `${localAddress}:${localPort}`;
  return Object.assign(new ExceptionWithHostPort(errno, 'connect', address, port, local), {
    localAddress,
    localPort,
  });
}

/** The error of an attempt that was refused at once: it tells what the socket is bound to. */
export function refusedError(
  socket: SocketFields,
  attempt: { address: string; port?: number },
  failure: number | AccessDenied,
): Error {
  const name = socket._getsockname();
  const local = `${name.address}:${name.port}`;
  return new ExceptionWithHostPort(failure, 'connect', attempt.address, attempt.port, local);
}

/** Connects to the only candidate. A failure destroys the socket. */
export function attemptConnection(
  socket: SocketFields,
  destination: Destination,
  address: string,
  family: 4 | 6,
): void {
  const handle = socket._handle as Handle;
  const attempt = attemptOf(destination, address, family);
  const failure = bindLocal(handle, attempt);
  if (failure) {
    socket.destroy(failure);
    return;
  }
  socket.emit('connectionAttempt', address, attempt.port, family);
  if (socket._handle !== handle) return;
  if (isBlocked(socket, attempt)) {
    socket.destroy(new ERR_IP_BLOCKED(address));
    return;
  }
  const measure = measureConnect(address, attempt.port);
  const oncomplete = (status: number): void => {
    if (socket._handle !== handle || socket.destroyed) return;
    if (status === 0) connected(socket, handle, measure);
    else failed(socket, attemptError(attempt, status), address, attempt.port, family);
  };
  const refused = startConnecting(handle, attempt, { oncomplete });
  if (refused) socket.destroy(refusedError(socket, attempt, refused));
}

/** Connects to a Unix path, or to an abstract name (unix(7)). A failure destroys the socket. */
export function attemptPath(socket: SocketFields, path: string): void {
  const handle = socket._handle as Handle;
  socket.emit('connectionAttempt', path, undefined, undefined);
  if (socket._handle !== handle) return;
  const oncomplete = (status: number): void => {
    if (socket._handle !== handle || socket.destroyed) return;
    if (status === 0) connected(socket, handle);
    else failed(socket, new ExceptionWithHostPort(status, 'connect', path), path);
  };
  const failure = handle.connect({ oncomplete }, path);
  if (!failure) return;
  // A path that no socket can have is refused, and whatever else fails is told later.
  if (typeof failure !== 'number' || failure === -constants.errno.EINVAL) {
    socket.destroy(refusedError(socket, { address: path }, failure));
  } else {
    process.nextTick(oncomplete, failure);
  }
}

function failed(
  socket: SocketFields,
  error: Error,
  address: string,
  port?: number,
  family?: 4 | 6,
): void {
  socket.connecting = false;
  socket._sockname = null;
  socket.emit('connectionAttemptFailed', address, port, family, error);
  socket.destroy(error);
}

/** The connection stands: options are applied, 'connect' and 'ready' emitted, and reading starts. */
export function connected(socket: SocketFields, handle: Handle, measure?: Measure): void {
  socket.connecting = false;
  socket._sockname = null;
  socket._unrefTimer();
  applyOptions(socket, handle);
  socket.emit('connect');
  socket.emit('ready');
  if (!socket.isPaused()) socket.read(0);
  measure?.();
}
