// Server.listen in all its forms: what the arguments ask for, checked, and passed on to the handle's
// set-up, or to the primary when the process is a worker of a cluster.
import type { LookupAddress } from 'node:dns';
import { addAbortListener } from 'node:events';
import { statSync } from 'node:fs';
import { Handle } from '../core/handle';
import { isBoundSocket, takeBoundSocket } from './bound-socket';
import { _normalizeArgs, isPathName } from './connect-arguments';
import { ERR_INVALID_ARG_VALUE, ERR_SERVER_ALREADY_LISTEN, ErrnoException } from './errors';
import { failListening, IPV6_ONLY, listenChannel, REUSE_PORT } from './listening-handle';
import { adoptDuplicate, isNativeHandle, kindOf } from './native-handle';
import { isIPv6 } from './node-net';
import type { ServerInternals } from './server';
import { type ListenTarget, listenThroughPrimary, workerCluster } from './server-cluster';
import { validateAbortSignal, validatePort } from './validation';

/** The options of listen, as they may come; what is not an option may be a handle itself. */
interface Options {
  port?: number | string | null;
  host?: string;
  path?: string;
  fd?: unknown;
  backlog?: number;
  exclusive?: boolean;
  ipv6Only?: boolean;
  reusePort?: boolean;
  readableAll?: boolean;
  writableAll?: boolean;
  signal?: AbortSignal;
  handle?: unknown;
  _handle?: unknown;
}

// Permission bits: for the owner, the group and all others.
const READABLE = 0o444;
const WRITABLE = 0o222;

/** The backlog among the arguments: a number, or a string that is one. */
function toNumber(value: unknown): number | false {
  const number = Number(value);
  return number >= 0 ? number : false;
}

function flagsOf(options: Options): number {
  return (
    (options.ipv6Only === true ? IPV6_ONLY : 0) | (options.reusePort === true ? REUSE_PORT : 0)
  );
}

/** Listens on what is named, or asks the primary of the cluster for it. */
function listenInCluster(
  server: ServerInternals,
  target: ListenTarget,
  exclusive: boolean,
  pathOptions?: object,
): void {
  const cluster = exclusive ? undefined : workerCluster();
  if (cluster !== undefined) {
    listenThroughPrimary(cluster, server, target, pathOptions);
    return;
  }
  const { address, port, addressType, backlog, fd, flags } = target;
  server._listen2(address, port, addressType, backlog, fd, flags);
}

/** Closing by signal: an aborted one closes the server in the next tick. */
function closeOnAbort(server: ServerInternals, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  validateAbortSignal(signal, 'options.signal');
  const close = () => {
    server.close();
  };
  if (signal.aborted) {
    process.nextTick(close);
    return;
  }
  const listener = addAbortListener(signal, close);
  server.once('close', listener[Symbol.dispose]);
}

const LINK_LOCAL = /^fe[89ab]/i;

/** The first address that every host of the network can reach; a link-local one only if all are. */
function preferredAddress(addresses: LookupAddress[]): LookupAddress | undefined {
  const isLinkLocal = ({ address }: LookupAddress) => isIPv6(address) && LINK_LOCAL.test(address);
  return addresses.find((address) => !isLinkLocal(address)) ?? addresses[0];
}

/** Listens on a host's address once it is known, unless the server was closed meanwhile. */
function lookupAndListen(
  server: ServerInternals,
  host: string,
  target: Omit<ListenTarget, 'address' | 'addressType'>,
  exclusive: boolean,
): void {
  const dns = require('node:dns') as typeof import('node:dns');
  const listeningId = server._listeningId;
  dns.lookup(host, { all: true }, (error, addresses) => {
    if (listeningId !== server._listeningId) return;
    if (error) {
      server.emit('error', error);
      return;
    }
    const found = preferredAddress(addresses);
    const where = { address: found?.address ?? null, addressType: found?.family || 4 };
    listenInCluster(server, { ...target, ...where }, exclusive);
  });
}

/** Listens on a handle that is there already, and is ours or Node's own. */
function listenOnHandle(
  server: ServerInternals,
  handle: Handle | number,
  backlog: number | false,
): void {
  if (typeof handle === 'number') {
    failListening(server, handle, null, -1);
    return;
  }
  server._handle = handle;
  const target = { address: null, port: -1, addressType: -1, backlog, fd: undefined };
  listenInCluster(server, { ...target, flags: undefined }, true);
}

/** The handle that listen was given, made ours; undefined when it was given none. */
function handleAmong(server: ServerInternals, options: Options): Handle | number | undefined {
  for (const bound of [options, options.handle]) {
    if (!isBoundSocket(bound)) continue;
    const { handle, path } = takeBoundSocket(bound);
    if (path !== undefined) server._pipeName = path;
    return handle;
  }
  const candidate = options._handle || options.handle || options;
  if (candidate instanceof Handle) return candidate;
  if (!isNativeHandle(candidate)) return undefined;
  return adoptDuplicate(candidate, kindOf(candidate), 'server');
}

function listenOnPort(server: ServerInternals, options: Options, backlog: number | false): void {
  const port = validatePort(options.port, 'options.port');
  // Sockets that share a port in the kernel are each worker's own.
  const exclusive = options.exclusive === true || options.reusePort === true;
  const flags = flagsOf(options);
  const target = { port, backlog, fd: undefined, flags };
  if (options.host) lookupAndListen(server, options.host, target, exclusive);
  else listenInCluster(server, { address: null, addressType: 4, ...target }, exclusive);
}

function listenOnPath(server: ServerInternals, options: Options, backlog: number | false): void {
  const { path = '', readableAll, writableAll } = options;
  if (path.startsWith('\0') && (readableAll || writableAll)) {
    const reason =
      'can not set readableAll or writableAllt to true when path is abstract unix socket';
    throw new ERR_INVALID_ARG_VALUE('options', options, reason);
  }
  server._pipeName = path;
  const target = { address: path, port: -1, addressType: -1, backlog, fd: undefined };
  const exclusive = Boolean(options.exclusive);
  listenInCluster(server, { ...target, flags: undefined }, exclusive, { readableAll, writableAll });
  // Without a handle the path was refused, which an 'error' event says, or the primary was asked.
  const handle = server._handle;
  const mode = (readableAll === true ? READABLE : 0) | (writableAll === true ? WRITABLE : 0);
  if (mode === 0 || !(handle instanceof Handle)) return;
  const errno = handle.chmod((statSync(path).mode & 0o7777) | mode);
  if (errno === 0) return;
  handle.close();
  server._handle = null;
  throw new ErrnoException(errno, 'uv_pipe_chmod');
}

/**
 * listen([port[, host[, backlog]]][, callback]), listen(path[, backlog][, callback]),
 * listen(handle[, backlog][, callback]), listen(options[, callback]) (Node's documentation,
 * "server.listen()"). The callback listens once to 'listening'.
 * @throws ERR_SERVER_ALREADY_LISTEN, ERR_SOCKET_BAD_PORT, ERR_INVALID_ARG_VALUE, ERR_INVALID_ARG_TYPE;
 *   what the kernel or the lookup refuses is emitted as 'error'.
 */
export function listen<This extends ServerInternals>(this: This, ...args: unknown[]): This {
  const [given, callback] = _normalizeArgs(args);
  if (this._handle) throw new ERR_SERVER_ALREADY_LISTEN();
  if (listenChannel.hasSubscribers) {
    listenChannel.asyncStart.publish({ server: this, options: given });
  }
  if (callback !== null) this.once('listening', callback);
  const backlogArgument =
    toNumber(args.length > 1 && args[1]) || toNumber(args.length > 2 && args[2]);

  // A lookup or a primary that answers an earlier call finds that it is no longer wanted.
  this._listeningId += 1;
  const handle = handleAmong(this, given as Options);
  if (handle !== undefined) {
    listenOnHandle(this, handle, backlogArgument);
    return this;
  }
  const inner = (given as Options)._handle || (given as Options).handle || given;
  const options = inner as Options;
  closeOnAbort(this, options.signal);
  if (typeof options.fd === 'number' && options.fd >= 0) {
    const target = { address: null, port: null, addressType: null, flags: undefined };
    listenInCluster(this, { ...target, backlog: backlogArgument, fd: options.fd }, false);
    return this;
  }
  const withoutPort = args.length === 0 || typeof args[0] === 'function';
  if (withoutPort || options.port === null || (options.port === undefined && 'port' in options)) {
    options.port = 0;
  }
  const backlog = options.backlog || backlogArgument;
  if (typeof options.port === 'number' || typeof options.port === 'string') {
    listenOnPort(this, options, backlog);
    return this;
  }
  if (options.path && isPathName(options.path)) {
    listenOnPath(this, options, backlog);
    return this;
  }
  const reason =
    'port' in options || 'path' in options ? undefined : 'must have the property "port" or "path"';
  throw new ERR_INVALID_ARG_VALUE('options', options, reason);
}
