/**
 * Node's own server classes on soref's `net.Server`: http.Server, tls.Server with https.Server on top
 * of it, and the servers of HTTP/2. They were derived from Node's when they were loaded, but find the
 * constructor among the exports of `net`, or by their prototype chain, when a server is made.
 *
 * An http.Server has soref's sockets. TLS and HTTP/2 work inside handles of Node's only: their
 * connections are accepted by soref, and their descriptors leave at once, each for a socket of Node's.
 */
import type * as http from 'node:http';
import type * as http2 from 'node:http2';
import type * as tls from 'node:tls';
import type { Handle } from '../core/handle';
import { nodeSocketOn } from '../net/native-handle';
import { NodeServer } from '../net/node-net';
import { Server, type ServerInternals, type SocketOfServer } from '../net/server';
import { makeSocket, socketOptionsOf } from '../net/server-accept';
import { leaveToNode, registered } from './registered';

type Constructor = (new () => object) & { prototype: object };

/** A socket of Node's own on the accepted child, which leaves soref. */
function makeNodeSocket(this: ServerInternals, child: Handle): SocketOfServer {
  const { fd } = child.detach();
  const socket = nodeSocketOn(fd, socketOptionsOf(this));
  const native = socket._handle;
  if (this.noDelay) native?.setNoDelay?.(true);
  if (this.keepAlive) native?.setKeepAlive?.(true, this.keepAliveInitialDelay);
  return socket;
}

/**
 * Whether what the class makes is initialised by what is found among the exports of `net` then, or
 * by the class that it is derived from then. Its text tells without making a server, which would load
 * certificates.
 */
function findsServerWhenCalled(derived: Constructor): boolean {
  const text = Function.prototype.toString.call(derived);
  return text.startsWith('class ') || /\bnet\.Server\b/.test(text);
}

/** Puts soref's Server below one of Node's classes, if that is built as expected. */
function rebase(derived: Constructor, name: string, needsNodeSockets: boolean): void {
  const isDerived = Object.getPrototypeOf(derived.prototype) === NodeServer.prototype;
  if (!isDerived || !findsServerWhenCalled(derived)) {
    leaveToNode(name);
    return;
  }
  Object.setPrototypeOf(derived.prototype, Server.prototype);
  Object.setPrototypeOf(derived, Server);
  if (needsNodeSockets) {
    const attributes = { writable: true, configurable: true };
    Object.defineProperty(derived.prototype, makeSocket, {
      value: makeNodeSocket,
      ...attributes,
    });
  }
  registered.push(name);
}

/** To be called when the exports of `net` are replaced. */
export function rebaseServers(): void {
  const { Server: HttpServer } = require('node:http') as typeof http;
  rebase(HttpServer as never, 'http.Server', false);
  let secure: { tls: typeof tls; http2: typeof http2 };
  try {
    secure = { tls: require('node:tls'), http2: require('node:http2') };
  } catch {
    return; // This Node was built without OpenSSL.
  }
  rebase(secure.tls.Server as never, 'tls.Server', true);
  // The class of servers without TLS is not exported, but what it makes carries it.
  const { constructor: Http2Server } = secure.http2.createServer() as object;
  rebase(Http2Server as never, 'http2.Http2Server', true);
}
