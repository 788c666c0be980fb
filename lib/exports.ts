/**
 * Puts together what `require('soref')` gives: all that the host's `net` exports, in its order and
 * with its property attributes, with soref's functions where it has them, and then soref's additions.
 * Without a core everything of `net` is Node's own.
 */
import { emitWarning } from 'node:process';
import { isMainThread } from 'node:worker_threads';
import { engine, engineReason } from './core/environment';
import { listenDescriptors } from './net/listen-descriptors';
import { nodeNet } from './net/node-net';
import { inspect } from './observe/inspect';
import { reportLeaksAtExit } from './observe/leaks';
import { ledger } from './observe/ledger';
import { sockstat } from './observe/sockstat';
import { registered } from './register/registered';

type Exports = Record<string, unknown>;

/** soref's counterparts of what `net` exports. Loaded only with a core, which they need. */
function netOnCore(): Exports {
  const { Server, createServer } = require('./net/server') as typeof import('./net/server');
  const { Socket } = require('./net/socket') as typeof import('./net/socket');
  const { connect } = require('./net/connect') as typeof import('./net/connect');
  const { _normalizeArgs } =
    require('./net/connect-arguments') as typeof import('./net/connect-arguments');
  const { BoundSocket } = require('./net/bound-socket') as typeof import('./net/bound-socket');
  const { ERR_SOREF_DETACHED } = require('./net/errors') as typeof import('./net/errors');
  extendNodeSockets({
    attached: () => false,
    detach: () => {
      throw new ERR_SOREF_DETACHED();
    },
  });
  return {
    _normalizeArgs,
    BoundSocket,
    connect,
    createConnection: connect,
    createServer,
    Server,
    Socket,
    Stream: Socket,
  };
}

function refuse(): never {
  const message = `soref has no core here, and serves node:net: ${engineReason}`;
  throw Object.assign(new Error(message), { code: 'ERR_SOREF_NO_CORE' });
}

/**
 * Node's own sockets get soref's members too, so that a program which uses them hears what is missing
 * rather than that something is no function. They do not show in listings.
 */
function extendNodeSockets(members: { attached(): boolean; detach(): never }): void {
  const attributes = { configurable: true };
  const { prototype } = nodeNet.Socket;
  Object.defineProperty(prototype, 'detach', {
    value: members.detach,
    writable: true,
    ...attributes,
  });
  Object.defineProperty(prototype, 'attached', { get: members.attached, ...attributes });
}

function netOfNode(): Exports {
  if (isMainThread) {
    const message = `soref cannot load its addon and serves node:net instead: ${engineReason}`;
    emitWarning(message, { code: 'SOREF_NO_BINARY', type: 'SorefWarning' });
  }
  const attach = { value: () => refuse(), writable: true, configurable: true };
  Object.defineProperty(nodeNet.Socket, 'attach', attach);
  extendNodeSockets({ attached: () => refuse(), detach: () => refuse() });
  return {};
}

/** The object that the package exports: plain and writable, as that of `net` is. */
export function makeExports(): Exports {
  if (engine !== 'node') reportLeaksAtExit();
  const ours = engine === 'node' ? netOfNode() : netOnCore();
  const exports: Exports = {};
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(nodeNet))) {
    const own = Object.hasOwn(ours, key) ? { ...descriptor, value: ours[key] } : descriptor;
    Object.defineProperty(exports, key, own);
  }
  // What newer Nodes export and this one does not.
  for (const key of Object.keys(ours)) exports[key] ??= ours[key];
  return Object.assign(exports, {
    engine,
    ledger,
    sockstat,
    inspect,
    registered,
    listenDescriptors,
  });
}
