// Servers in the workers of a cluster: the primary process decides what a worker listens on. It
// answers either with a listening handle of Node's that all workers share, or with a stand-in, through
// which it passes on connections that it accepted itself. Called by listen alone.
import { ExceptionWithHostPort } from './errors';
import {
  adoptDuplicate,
  closeTogether,
  isNativeHandle,
  kindOf,
  type NativeHandle,
  nativeOwnerSymbol,
} from './native-handle';
import type { ServerInternals } from './server';
import { onconnection } from './server-accept';

const EADDRINUSE = -98;

/** What a server wants to listen on, in the terms of Node's `_listen2`. */
export interface ListenTarget {
  address: string | null;
  port: number | null;
  addressType: number | null;
  backlog: number | false | undefined;
  fd: number | undefined;
  flags: number | undefined;
}

/** Node's cluster module as a worker sees it. */
interface Cluster {
  isPrimary: boolean;
  _getServer(
    server: ServerInternals,
    query: object,
    done: (errno: number, handle: NativeHandle) => void,
  ): void;
}

/** The cluster module, when this process is a worker of a cluster. */
export function workerCluster(): Cluster | undefined {
  // Loaded late, for it is heavy, and by then its own start-up has decided what this process is.
  const cluster = require('node:cluster') as Cluster;
  return cluster.isPrimary ? undefined : cluster;
}

/**
 * The kernel may report a port in use only when listening, and a failed bind followed by listen
 * takes a random port instead: so the port is compared with the wanted one.
 */
function checkPort(errno: number, port: number | null, handle: NativeHandle): number {
  if (errno !== 0 || !port || port <= 0 || typeof handle.getsockname !== 'function') return errno;
  const out: { port?: number } = {};
  return handle.getsockname(out) || (out.port === port ? 0 : EADDRINUSE);
}

/** A server as the cluster module sees it. */
interface Owner {
  readonly _connections: number;
  readonly maxConnections?: number | null | undefined;
  close(done?: () => void): void;
}

/** Node's own code finds the server of a handle under a symbol of its own. */
function markOwner(handle: NativeHandle, owner: Owner): void {
  const symbol = nativeOwnerSymbol();
  if (symbol !== undefined) (handle as unknown as Record<symbol, unknown>)[symbol] = owner;
}

/**
 * The cluster module offers a connection to another worker when this one's server has reached its
 * limit. A server that wants to drop such connections itself (dropMaxConnection, which older cluster
 * modules do not know) shows it no limit.
 */
function droppingOwner(server: ServerInternals): Owner {
  return {
    close: (done) => server.close(done),
    get _connections() {
      return server._connections;
    },
    get maxConnections() {
      return server.dropMaxConnection ? undefined : server.maxConnections;
    },
  };
}

/** Makes a shared listening handle soref's. The primary's handle is closed together with ours. */
function adoptShared(server: ServerInternals, native: NativeHandle & { fd: number }) {
  const handle = adoptDuplicate(native, kindOf(native), 'server');
  if (typeof handle === 'number') return handle;
  markOwner(native, server);
  closeTogether(handle, native);
  return handle;
}

/** Lets connections that come through a stand-in reach the server. */
function adoptStandIn(server: ServerInternals, standIn: NativeHandle): NativeHandle {
  markOwner(standIn, droppingOwner(server));
  return Object.assign(standIn, { owner: server, onconnection });
}

/**
 * Asks the primary for a handle and listens on it; a refusal becomes an 'error' event with Node's
 * `bind` exception. An answer that comes after the server was closed is given back.
 */
export function listenThroughPrimary(
  cluster: Cluster,
  server: ServerInternals,
  target: ListenTarget,
  pathOptions?: object,
): void {
  const { address, port, addressType, backlog, fd, flags } = target;
  const listeningId = server._listeningId;
  const query = { address, port, addressType, fd, flags, backlog, ...pathOptions };
  cluster._getServer(server, query, (errno, handle) => {
    if (listeningId !== server._listeningId) {
      handle.close();
      return;
    }
    const failure = checkPort(errno, port, handle);
    const own =
      failure ||
      (isNativeHandle(handle) ? adoptShared(server, handle) : adoptStandIn(server, handle));
    if (typeof own === 'number') {
      server.emit('error', new ExceptionWithHostPort(own, 'bind', address, port));
      return;
    }
    server._handle?.close();
    server._handle = own;
    server._listen2(address, port, addressType, backlog, fd, flags);
  });
}
