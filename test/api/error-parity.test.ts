// Names that cannot be bound, listened on or reached: each error is the one that node:net gives, compared in the
// same process. Works for every user, root too.
import { once } from 'node:events';
import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import * as nodeNet from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as soref from 'soref';
import t, { type Test } from 'tap';
import { freePort } from './free-port';
import { shortFolder } from './programs';

type Net = typeof nodeNet;

const both: [string, Net][] = [
  ['node', nodeNet],
  ['soref', soref as unknown as Net],
];

/** All that an error says, without its stack and with `port` replaced. */
function describe(error: unknown, port?: number): object {
  const { message, name, ...rest } = error as Record<string, unknown>;
  const text = JSON.stringify({
    ...rest,
    message: (error as Error).message,
    constructor: (error as Error).constructor.name,
    errors: (error as AggregateError).errors?.map((each) => describe(each, port)),
  });
  return JSON.parse(port ? text.replaceAll(String(port), '1') : text);
}

/** What comes of listening: an exception, an error, or the address. */
async function listening(net: Net, options: object): Promise<object> {
  const server = net.createServer();
  try {
    (server.listen as (options: object) => void)(options);
  } catch (error) {
    return { thrown: describe(error) };
  }
  const { port } = options as { port?: number };
  return new Promise((resolve) => {
    server.on('error', (error) => {
      resolve({ emitted: describe(error, port), listening: server.listening });
    });
    server.on('listening', () => server.close(() => resolve({ listening: true })));
  });
}

/** What comes of connecting: an exception, or an error and a close. */
async function connecting(net: Net, options: object, port?: number): Promise<object> {
  let socket: nodeNet.Socket;
  try {
    socket = (net.connect as (options: object) => nodeNet.Socket)(options);
  } catch (error) {
    return { thrown: describe(error, port) };
  }
  const events: unknown[] = [];
  socket.on('connect', () => {
    events.push('connect');
    socket.destroy();
  });
  socket.on('error', (error) => events.push(describe(error, port)));
  for (const event of ['lookup', 'connectionAttempt', 'connectionAttemptTimeout']) {
    socket.on(event, () => events.push(event));
  }
  await new Promise<void>((resolve) =>
    socket.on('close', (failed) => {
      events.push(failed);
      resolve();
    }),
  );
  return events;
}

async function compare(t: Test, name: string, act: (net: Net) => Promise<object>): Promise<string> {
  const results: Record<string, object> = {};
  for (const [which, net] of both) results[which] = await act(net);
  t.same(results.soref, results.node, name);
  return JSON.stringify(results.node);
}

async function taken(t: Test, options: object): Promise<number> {
  const server = nodeNet.createServer().listen(options);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as nodeNet.AddressInfo).port;
}

const folder = shortFolder();
writeFileSync(join(folder, 'file'), '');
mkdirSync(join(folder, 'folder'));

const paths: Record<string, string> = {
  'a missing folder': join(folder, 'missing', 'socket'),
  'a file as folder': join(folder, 'file', 'socket'),
  'a file': join(folder, 'file'),
  'a folder': join(folder, 'folder'),
  'a missing path': join(folder, 'missing'),
};

t.test('listening on ports and addresses', async (t) => {
  const port = await taken(t, { port: 0, host: '127.0.0.1' });
  const onAll = await taken(t, { port: 0 });
  const cases: [string, object, RegExp][] = [
    ['in use', { port, host: '127.0.0.1' }, /EADDRINUSE/],
    ['in use on all addresses', { port: onAll }, /EADDRINUSE/],
    ['in use on all of IPv4', { port, host: '0.0.0.0' }, /EADDRINUSE/],
    ['an address of nobody', { port: 0, host: '192.0.2.1' }, /EADDRNOTAVAIL/],
    ['an IPv6 address of nobody', { port: 0, host: '2001:db8::1' }, /EADDRNOTAVAIL|EAFNOSUPPORT/],
    ['no port', { port: 65_536 }, /ERR_SOCKET_BAD_PORT/],
    ['a negative port', { port: -1 }, /ERR_SOCKET_BAD_PORT/],
    ['no name', { port: 0, host: 'not..a.name' }, /ENOTFOUND|EAI_AGAIN/],
  ];
  for (const [name, options, expected] of cases) {
    t.match(await compare(t, name, (net) => listening(net, options)), expected, name);
  }
});

t.test('listening on paths', async (t) => {
  const used = join(folder, 'used');
  await taken(t, { path: used });
  const cases = {
    ...paths,
    'a path in use': used,
    'an empty path': '',
  };
  for (const [name, path] of Object.entries(cases)) {
    if (name === 'a missing path') continue;
    const result = await compare(t, name, (net) => listening(net, { path }));
    t.match(result, /code/, name);
  }
  t.match(await compare(t, 'code', (net) => listening(net, { path: used })), /EADDRINUSE/);
  const missing = paths['a missing folder'] as string;
  t.match(await compare(t, 'code', (net) => listening(net, { path: missing })), /EACCES/);
});

t.test('connecting to ports and addresses', async (t) => {
  const port = await freePort();
  const cases: [string, object, RegExp][] = [
    ['refused', { port, host: '127.0.0.1' }, /ECONNREFUSED/],
    ['refused on IPv6', { port, host: '::1' }, /ECONNREFUSED|EADDRNOTAVAIL/],
    ['refused on a name', { port, host: 'localhost' }, /ECONNREFUSED/],
    ['refused, one family', { port, host: 'localhost', autoSelectFamily: false }, /ECONNREFUSED/],
    ['from a port', { port, host: '127.0.0.1', localPort: port }, /"connect"/],
    [
      'from nobody’s address',
      { port, host: '127.0.0.1', localAddress: '192.0.2.1' },
      /EADDRNOTAVAIL/,
    ],
    [
      'from another family',
      { port, host: '127.0.0.1', localAddress: '::1' },
      /EINVAL|EAFNOSUPPORT/,
    ],
    ['from no address', { port, host: '127.0.0.1', localAddress: 'x' }, /ERR_INVALID_IP_ADDRESS/],
    ['no name', { port, host: 'not..a.name' }, /ENOTFOUND|EAI_AGAIN/],
    ['port 0', { port: 0, host: '127.0.0.1' }, /ECONNREFUSED|EADDRNOTAVAIL/],
    ['no port', { port: 65_536, host: '127.0.0.1' }, /ERR_SOCKET_BAD_PORT/],
    ['a broadcast address', { port, host: '255.255.255.255' }, /ENETUNREACH|EACCES|EINVAL/],
  ];
  for (const [name, options, expected] of cases) {
    const result = await compare(t, name, (net) => connecting(net, options, port));
    t.match(result, expected, name);
  }
});

t.test('connecting to paths', async (t) => {
  const stale = join(folder, 'stale');
  const server = nodeNet.createServer().listen(stale);
  await once(server, 'listening');
  // The socket's file outlives its listener under another name.
  linkSync(stale, join(folder, 'left'));
  const closed = once(server, 'close');
  server.close();
  await closed;
  const cases = { ...paths, 'a stale path': join(folder, 'left'), 'an abstract name': '\0soref-x' };
  for (const [name, path] of Object.entries(cases)) {
    t.match(await compare(t, name, (net) => connecting(net, { path })), /"code"/, name);
  }
});

t.test('paths that no socket can have', async (t) => {
  // Older lines of Node silently cut them off, and so mean another file; later ones refuse.
  const line = Number(process.versions.node.split('.')[0]);
  const impossible: [string, string, boolean][] = [
    ['too long', 'x'.repeat(120), line >= 24],
    ['with a NUL', 'file\0name', line >= 22],
  ];
  for (const [name, file, refuses] of impossible) {
    const path = join(folder, file);
    for (const act of [listening, connecting]) {
      const result = JSON.stringify(await act(soref as unknown as Net, { path }));
      t.match(result, /"code":"EINVAL"/, `${act.name}, ${name}`);
      if (refuses) await compare(t, `${act.name}, ${name}`, (net) => act(net, { path }));
    }
  }
});

t.test('a peer that never answers: attempts time out', async (t) => {
  const server = nodeNet.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as nodeNet.AddressInfo;
  // A thread that stands still accepts nothing: its queue is full, and the kernel drops what comes.
  const worker = new Worker(
    `const net = require('node:net');
    const { parentPort } = require('node:worker_threads');
    const server = net.createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      const { port } = server.address();
      for (let i = 0; i < 6; i++) net.connect(port, '127.0.0.1').on('error', () => {});
      process.nextTick(() => {
        parentPort.postMessage(port);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      });
    });`,
    { eval: true },
  );
  const [blocked] = await once(worker, 'message');
  const lookup = (_host: string, _options: object, callback: (...values: unknown[]) => void) => {
    // Only the last address is waited for without a limit: there nobody listens.
    const addresses = ['127.0.0.1', '127.0.0.1', '127.0.0.2'];
    callback(
      null,
      addresses.map((address) => ({ address, family: nodeNet.isIP(address) })),
    );
  };
  const options = { host: 'blocked.test', lookup, autoSelectFamily: true };
  const attempts = { autoSelectFamilyAttemptTimeout: 20 };
  const result = await compare(t, 'all attempts', (net) =>
    connecting(net, { ...options, ...attempts, port: blocked }, blocked),
  );
  t.match(result, /connectionAttemptTimeout/);
  t.match(result, /ETIMEDOUT.*ETIMEDOUT.*ECONNREFUSED/);
  // With somebody who does answer, nothing of that is seen.
  t.match(
    await compare(t, 'answered', (net) => connecting(net, { ...options, port }, port)),
    /"connect"/,
  );
  await worker.terminate();
  const closed = once(server, 'close');
  server.close();
  await closed;
});
