/**
 * HTTP clients of Node's that the replaced exports of `net` alone do not serve. The older Agent took
 * a copy of `net.connect` when it was loaded. HTTP/2 runs inside Node's own handles, so its
 * connections are made by Node as long as it has no other way in.
 */
import type * as http from 'node:http';
import type * as http2 from 'node:http2';
import type * as net from 'node:net';
import { promisify } from 'node:util';
import { nodeNet } from '../net/node-net';
import { replace } from './registered';

/** To be called before Node's connect is replaced. Tells what to do once it is. */
export function prepareHttpClients(): () => void {
  const { Agent } = require('node:http') as typeof http;
  const connectOfNode = nodeNet.connect;
  const takesCopy =
    (Agent.prototype as { createConnection?: unknown }).createConnection === connectOfNode;
  return () => {
    const connect = nodeNet.connect;
    if (takesCopy) {
      replace(
        Agent.prototype,
        'createConnection',
        connect,
        'http.Agent.prototype.createConnection',
      );
    }
    serveHttp2(connect, connectOfNode);
  };
}

/** Lets http2.connect make its connections with Node's `connect`, unless somebody replaced ours. */
function serveHttp2(connectOfSoref: typeof net.connect, connectOfNode: typeof net.connect): void {
  let module: typeof http2;
  try {
    module = require('node:http2');
  } catch {
    return; // This Node was built without OpenSSL.
  }
  const exports = nodeNet as { connect: typeof net.connect };
  const withNode = (call: (...values: unknown[]) => unknown) => {
    const connect = (authority: unknown, options: unknown, listener: unknown) => {
      if (exports.connect !== connectOfSoref) return call(authority, options, listener);
      // The call looks `connect` up among the exports of net, and does so before it returns.
      exports.connect = connectOfNode;
      try {
        return call(authority, options, listener);
      } finally {
        exports.connect = connectOfSoref;
      }
    };
    // Whoever wraps functions goes by what they are called, and by how many values they take.
    return Object.defineProperties(connect, {
      name: { value: call.name, configurable: true },
      length: { value: call.length, configurable: true },
    });
  };
  const original = module.connect as Connect;
  const connect: Connect = Object.assign(withNode(original), {
    [promisify.custom]: withNode(original[promisify.custom]),
  });
  replace(module, 'connect', connect, 'http2.connect');
}

type Connect = ((...values: unknown[]) => unknown) & {
  [promisify.custom]: (...values: unknown[]) => unknown;
};
