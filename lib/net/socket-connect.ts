/**
 * socket.connect(): checks its options, finds the address, and hands over to connect-attempt.ts, or with several
 * addresses to family-selection.ts.
 */
import { channel } from 'node:diagnostics_channel';
import * as dns from 'node:dns';
import { Handle } from '../core/handle';
import { _normalizeArgs, isNormalized } from './connect-arguments';
import { attemptConnection, attemptPath } from './connect-attempt';
import {
  ERR_INVALID_ADDRESS_FAMILY,
  ERR_INVALID_ARG_TYPE,
  ERR_INVALID_ARG_VALUE,
  ERR_INVALID_IP_ADDRESS,
  ERR_MISSING_ARGS,
} from './errors';
import { attemptFamilies, selectCandidates } from './family-selection';
import { familySelectionOf } from './family-selection-defaults';
import { isIP, NodeSocket } from './node-net';
import { asyncId, kBound, type SocketFields } from './socket-fields';
import { initializeHandle } from './socket-handle';
import { nextTickTriggeredBy } from './triggered-tick';
import {
  validateFunction,
  validateNumber,
  validatePort,
  validateString,
  validateStringWithoutNullBytes,
} from './validation';

const connectOfNode = NodeSocket.prototype.connect;

const clientSockets = channel('net.client.socket');

type Family = 0 | 4 | 6 | 'IPv4' | 'IPv6' | undefined;
type Lookup = (
  host: string,
  options: { family: Family; hints: number; all?: boolean },
  callback: (error: Error | null, address: never, family: never) => void,
) => void;

/** The options of connect() that lib/net reads. */
export interface ConnectOptions {
  port?: number | string;
  host?: string;
  path?: string;
  localAddress?: string;
  localPort?: number;
  family?: Family;
  hints?: number;
  lookup?: Lookup;
  autoSelectFamily?: boolean;
  /** Milliseconds. */
  autoSelectFamilyAttemptTimeout?: number;
}

/** What is left of the options once they are checked. */
export interface Destination {
  host: string;
  port: number;
  localAddress: string | undefined;
  localPort: number | undefined;
}

/** One call of connect() that waits for an address. */
interface Request {
  readonly socket: SocketFields;
  /** The handle that the socket had then. */
  readonly handle: Handle;
  readonly destination: Destination;
  readonly options: ConnectOptions;
}

/** The socket was destroyed meanwhile, and may already connect to somewhere else. */
function isOver({ socket, handle }: Request): boolean {
  return !socket.connecting || socket._handle !== handle;
}

/**
 * Connects to a port or a path (Node's documentation, socket.connect). Wrong arguments throw at once; all other
 * failures destroy the socket with their error, later. A socket of Node's connects as Node has it.
 */
export function connect(this: SocketFields, ...values: unknown[]): SocketFields {
  // As the sockets of TLS are, for which a program may call this in a connect() of its own.
  if (this instanceof NodeSocket) return Reflect.apply(connectOfNode, this, values);
  const [given, callback] = isNormalized(values[0]) ? values[0] : _normalizeArgs(values);
  const options = given as ConnectOptions;
  if (clientSockets.hasSubscribers) clientSockets.publish({ socket: this });
  if (callback !== null) this.once('connect', callback);
  if (this._parent?.connecting) return this;
  if (options.port === undefined && options.path == null) {
    throw new ERR_MISSING_ARGS(['options', 'port', 'path']);
  }

  // A socket that is used again gets back the write that the end of its last connection replaced.
  if (Object.hasOwn(this, 'write')) this.write = Object.getPrototypeOf(this).write;
  if (this.destroyed) {
    this._handle = null;
    this._peername = null;
    this._sockname = null;
  }
  const { path } = options;
  // A handle that is bound already says where it can go, until it is closed.
  const toPath = this[kBound] && this._handle ? this._handle.kind === 'pipe' : Boolean(path);
  if (!this._handle) {
    this._handle = new Handle(toPath ? 'pipe' : 'tcp', 'socket');
    initializeHandle(this);
  }
  this._unrefTimer();
  this.connecting = true;
  if (toPath) {
    validateString(path, 'options.path');
    attemptPath(this, path);
  } else {
    connectToHost(this, options);
  }
  return this;
}

function connectToHost(socket: SocketFields, options: ConnectOptions): void {
  const destination = checkDestination(options);
  const selection = familySelectionOf(options);
  const request = { socket, handle: socket._handle as Handle, destination, options };
  const { host } = destination;
  const family = isIP(host);
  const isBound = socket[kBound] !== undefined;
  if (isBound) refuseSecondBinding(options);
  if (family && isBound) {
    // Nothing is to be looked up, and the local address is known when connect() returns.
    attemptAddress(request, family);
    return;
  }
  if (family) {
    nextTickTriggeredBy(socket[asyncId], attemptAddress, request, family);
    return;
  }
  if (options.lookup != null) validateFunction(options.lookup, 'options.lookup');
  const lookup = options.lookup ?? (dns.lookup as unknown as Lookup);
  socket._host = host;

  const wanted = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : options.family;
  const eitherFamily = wanted !== 4 && wanted !== 6;
  const hints = options.hints || (eitherFamily ? dns.ADDRCONFIG : 0);
  if (eitherFamily && !destination.localAddress && !isBound && selection.enabled) {
    lookup(host, { family: wanted, hints, all: true }, (error, addresses: never) => {
      foundAll(request, selection.attemptTimeout, error, addresses);
    });
  } else {
    lookup(host, { family: wanted, hints }, (error, address: never, addressFamily: never) => {
      foundOne(request, error, address, addressFamily);
    });
  }
}

function refuseSecondBinding(options: ConnectOptions): void {
  if (options.localAddress === undefined && options.localPort === undefined) return;
  const reason = 'localAddress and localPort cannot be used with an adopted bound socket';
  throw new ERR_INVALID_ARG_VALUE('options', options, reason);
}

function checkDestination(options: ConnectOptions): Destination {
  const { localAddress, localPort, port } = options;
  const host = options.host || 'localhost';
  validateStringWithoutNullBytes(host, 'options.host');
  if (localAddress && !isIP(localAddress)) throw new ERR_INVALID_IP_ADDRESS(localAddress);
  if (localPort) validateNumber(localPort, 'options.localPort');
  if (port !== undefined && typeof port !== 'number' && typeof port !== 'string') {
    throw new ERR_INVALID_ARG_TYPE('options.port', ['number', 'string'], port);
  }
  return {
    host,
    port: port === undefined ? 0 : validatePort(port),
    localAddress: localAddress || undefined,
    localPort: localPort || undefined,
  };
}

/** The host was an address. */
function attemptAddress(request: Request, family: number): void {
  if (isOver(request)) return;
  const { socket, destination } = request;
  attemptConnection(socket, destination, destination.host, family as 4 | 6);
}

function foundOne(request: Request, error: Error | null, address: unknown, family: unknown): void {
  const { socket, destination, options } = request;
  socket.emit('lookup', error, address, family, destination.host);
  if (isOver(request)) return;
  const failure = error || invalidAddress({ address, family }, options);
  if (failure) {
    process.nextTick(fail, request, failure);
    return;
  }
  socket._unrefTimer();
  attemptConnection(socket, destination, address as string, family as 4 | 6);
}

function foundAll(
  request: Request,
  attemptTimeout: number,
  error: Error | null,
  addresses: { address: unknown; family: unknown }[],
): void {
  if (isOver(request)) return;
  const { socket, destination, options } = request;
  if (error) {
    socket.emit('lookup', error, undefined, undefined, destination.host);
    process.nextTick(fail, request, error);
    return;
  }
  for (const { address, family } of addresses) {
    socket.emit('lookup', error, address, family, destination.host);
    if (isOver(request)) return;
  }
  const candidates = selectCandidates(addresses);
  const [first] = candidates;
  if (!first) {
    const failure = invalidAddress(addresses[0] ?? {}, options);
    if (failure) process.nextTick(fail, request, failure);
    return;
  }
  socket._unrefTimer();
  if (candidates.length === 1) attemptConnection(socket, destination, first.address, first.family);
  else attemptFamilies(socket, destination, candidates, attemptTimeout);
}

function invalidAddress(
  found: { address?: unknown; family?: unknown },
  { host, port }: ConnectOptions,
): Error | undefined {
  const { address, family } = found;
  if (typeof address !== 'string' || !isIP(address)) return new ERR_INVALID_IP_ADDRESS(address);
  if (family !== 4 && family !== 6) return new ERR_INVALID_ADDRESS_FAMILY(family, host, port);
  return undefined;
}

function fail(request: Request, error: Error): void {
  if (!isOver(request)) request.socket.destroy(error);
}
