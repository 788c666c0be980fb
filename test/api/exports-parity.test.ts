// What `net` exports, soref exports: the same names in the same order with the same attributes, and
// constructors whose prototypes have the same members.
import type * as nodeNet from 'node:net';

import soref = require('soref');

import t from 'tap';

type Functions = Record<string, (...values: unknown[]) => unknown>;

/** What newer Nodes export, soref exports on every Node. */
const OF_NEWER_NODES = ['BoundSocket'].filter((key) => !(key in require('node:net')));
const OWN = ['engine', 'ledger', 'sockstat', 'inspect', 'registered', 'listenDescriptors'];
const ADDITIONS = [...OF_NEWER_NODES, ...OWN];
// What newer Nodes have more parameters of, soref has them of on every Node.
const NEWER_LENGTHS = new Map([['setKeepAlive', 4]]);
const host = require('node:net') as typeof nodeNet;

/** How a property looks from outside: its kind and attributes, but not its value. */
function attributes(target: object, key: PropertyKey) {
  const descriptor = Object.getOwnPropertyDescriptor(target, key);
  if (descriptor === undefined) return undefined;
  const { value, get, set, ...flags } = descriptor;
  const length = typeof value === 'function' ? value.length : undefined;
  return { ...flags, type: typeof value, length, get: get !== undefined, set: set !== undefined };
}

t.test('the exports are those of net, in its order, and then the additions', async (t) => {
  t.same(Object.keys(soref), [...Object.keys(host), ...ADDITIONS]);
  for (const key of Object.keys(host)) {
    t.same(attributes(soref, key), attributes(host, key), key);
  }
});

t.test('what needs no socket is Node’s own', async (t) => {
  for (const key of ['BlockList', 'SocketAddress', 'isIP', 'isIPv4', 'isIPv6'] as const) {
    t.equal(soref[key], host[key], key);
  }
});

t.test('what makes sockets is soref’s', async (t) => {
  for (const key of ['Socket', 'Server', 'connect', 'createServer', 'createConnection'] as const) {
    t.not(soref[key], host[key], key);
  }
  t.equal(soref.Stream, soref.Socket);
  t.equal(soref.connect, soref.createConnection);
});

t.test('the exports are plain and writable', async (t) => {
  const exports = soref as unknown as Functions;
  const { createServer } = exports;
  const replacement = () => undefined;
  exports.createServer = replacement;
  t.equal(exports.createServer, replacement);
  exports.createServer = createServer as () => unknown;
});

for (const name of ['Server', 'Socket'] as const) {
  t.test(`${name}.prototype has the members of Node’s`, async (t) => {
    const own: object = soref[name].prototype;
    const theirs: object = host[name].prototype;
    for (const key of Object.keys(theirs)) {
      const expected = attributes(theirs, key);
      if (expected && NEWER_LENGTHS.has(key)) expected.length = NEWER_LENGTHS.get(key);
      t.same(attributes(own, key), expected, key);
    }
    const shown = new Set([...Object.keys(theirs), 'setTypeOfService', 'getTypeOfService']);
    t.same(
      Object.keys(own).filter((key) => !shown.has(key)),
      [],
      'nothing else shows',
    );
    t.equal(soref[name].length, host[name].length);
    t.equal(soref[name].name, name);
  });
}

t.test('an object has the own keys of Node’s', async (t) => {
  t.same(Object.keys(new soref.Server()), Object.keys(new host.Server()));
  t.same(Object.keys(new soref.Socket()), Object.keys(new host.Socket()));
});

t.test('the constructors work without new, with call, and as base classes', async (t) => {
  const Server = soref.Server as unknown as () => nodeNet.Server;
  t.ok(Server() instanceof soref.Server);
  const called = Object.create(soref.Server.prototype);
  soref.Server.call(called);
  t.equal(called._connections, 0);
  class Derived extends soref.Server {}
  t.ok(new Derived() instanceof Derived);
  t.notOk(new soref.Server() instanceof Derived);
});

t.test('servers and sockets of Node’s are instances too, and are made by Node', async (t) => {
  t.ok(new host.Server() instanceof soref.Server);
  t.ok(new host.Socket() instanceof soref.Socket);
  t.notOk({} instanceof soref.Server);
  const theirs = Object.create(host.Server.prototype);
  soref.Server.call(theirs, { allowHalfOpen: true });
  t.equal(theirs.allowHalfOpen, true);
  t.notOk(Object.getPrototypeOf(theirs) === soref.Server.prototype);
});
