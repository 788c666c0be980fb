// The forms of Server.listen, what address() then says, and the errors of the forms that cannot be.
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer as nodeServer } from 'node:net';
import { join } from 'node:path';

import soref = require('soref');

import t from 'tap';
import { shortFolder } from './programs';

type Listen = (...values: unknown[]) => InstanceType<typeof soref.Server>;

/** listen() as programs without types call it. */
const listenOn = (server: InstanceType<typeof soref.Server>, ...values: unknown[]) =>
  (server.listen as Listen).apply(server, values);

const closed = async (server: InstanceType<typeof soref.Server>) => {
  server.close();
  await once(server, 'close');
};

/** Connects, reads all that the server says, and returns it. */
function readFrom(...where: [options: object | number | string]): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = (soref.connect as (options: unknown) => InstanceType<typeof soref.Socket>)(
      where[0],
    );
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}

t.test('ports and hosts', async (t) => {
  const forms: [unknown[], string][] = [
    [[], '::'],
    [[0], '::'],
    [['0'], '::'],
    [[null], '::'],
    [[0, '127.0.0.1'], '127.0.0.1'],
    [[0, '127.0.0.1', 5], '127.0.0.1'],
    [[{ port: 0, host: '127.0.0.1' }], '127.0.0.1'],
    [[{ port: undefined }], '::'],
    [[{ port: 0, host: '::1', ipv6Only: true }], '::1'],
    [[{ port: 0, host: '127.0.0.1', reusePort: true, backlog: 3, exclusive: true }], '127.0.0.1'],
  ];
  for (const [values, expected] of forms) {
    const server = soref.createServer((socket) => socket.end('here'));
    const listening = once(server, 'listening');
    t.equal(listenOn(server, ...values), server);
    await listening;
    t.equal(server.listening, true);
    const { address, family, port } = server.address() as AddressInfo;
    t.equal(address, expected, JSON.stringify(values));
    t.equal(family, expected.includes(':') ? 'IPv6' : 'IPv4');
    t.equal(await readFrom({ port, host: expected === '::' ? '127.0.0.1' : expected }), 'here');
    await closed(server);
    t.equal(server.listening, false);
    t.equal(server.address(), null);
  }
});

t.test('a host name is looked up, and close forgets the answer', async (t) => {
  const server = soref.createServer();
  listenOn(server, 0, 'localhost');
  t.equal(server.listening, false);
  await once(server, 'listening');
  await closed(server);
  listenOn(server, 0, 'localhost', () => t.fail('a closed server does not listen'));
  server.close();
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.equal(server.listening, false);
});

t.test('paths and abstract names', async (t) => {
  const path = join(shortFolder(), 'socket');
  for (const name of [path, `\0soref-${process.pid}`]) {
    const server = soref.createServer((socket) => socket.end('unix'));
    listenOn(server, name);
    await once(server, 'listening');
    t.equal(server.address(), name);
    t.equal(await readFrom({ path: name }), 'unix');
    await closed(server);
  }
  t.throws(() => statSync(path), { code: 'ENOENT' }, 'the path goes with the server');
});

t.test('readableAll and writableAll open the path to everybody', async (t) => {
  const path = join(shortFolder(), 'socket');
  const server = soref.createServer();
  server.listen({ path, readableAll: true, writableAll: true });
  await once(server, 'listening');
  t.equal(statSync(path).mode & 0o666, 0o666);
  await closed(server);
  const abstract = { path: '\0soref', readableAll: true };
  t.throws(() => server.listen(abstract), { code: 'ERR_INVALID_ARG_VALUE' });
});

t.test('handles: of a server of Node’s, of soref’s, and a bare descriptor', async (t) => {
  for (const kind of ['tcp', 'unix']) {
    const where =
      kind === 'tcp' ? { port: 0, host: '127.0.0.1' } : { path: join(shortFolder(), kind) };
    const theirs = nodeServer().listen(where);
    await once(theirs, 'listening');
    const target = kind === 'tcp' ? { port: (theirs.address() as AddressInfo).port } : where;
    const ours = soref.createServer((socket) => socket.end('adopted'));
    listenOn(ours, theirs);
    await once(ours, 'listening');
    // Node's listener is still there, and takes what comes when ours is not asked.
    theirs.on('connection', (socket) => socket.end('adopted'));
    t.equal(await readFrom(target), 'adopted', kind);
    theirs.close();
    // Node takes the path of a closed server away, whoever listens there still.
    if (kind === 'tcp') t.equal(await readFrom(target), 'adopted', 'without Node’s');
    await closed(ours);
  }
});

t.test('a descriptor that is no socket', async (t) => {
  const server = soref.createServer();
  listenOn(server, { fd: 100_000 });
  const [error] = await once(server, 'error');
  t.match(error, { code: 'EINVAL', syscall: 'listen' });
  t.equal(server.listening, false);
});

t.test('a port in use: the error, and the next port on the same server', async (t) => {
  for (const host of ['127.0.0.1', undefined]) {
    const first = soref.createServer();
    listenOn(first, { port: 0, host });
    await once(first, 'listening');
    const { port } = first.address() as AddressInfo;
    const second = soref.createServer();
    listenOn(second, { port, host });
    const [error] = await once(second, 'error');
    const address = host ?? '::';
    t.equal(error.message, `listen EADDRINUSE: address already in use ${address}:${port}`);
    t.match(error, { code: 'EADDRINUSE', syscall: 'listen', errno: -98, address, port });
    listenOn(second, { port: 0, host });
    await once(second, 'listening');
    await closed(second);
    await closed(first);
  }
});

t.test('what the file system refuses', async (t) => {
  const folder = shortFolder();
  const occupied = join(folder, 'occupied');
  writeFileSync(occupied, '');
  const refusals: [string, string][] = [
    [occupied, 'EADDRINUSE'],
    [join(folder, 'missing', 'socket'), 'EACCES'],
  ];
  for (const [path, code] of refusals) {
    const theirs = nodeServer().listen(path);
    const [expected] = await once(theirs, 'error');
    const server = soref.createServer();
    listenOn(server, path);
    const [error] = await once(server, 'error');
    t.equal(expected.code, code);
    t.same({ ...error, message: error.message }, { ...expected, message: expected.message });
  }
});

t.test('a path that no Unix socket can have', async (t) => {
  const server = soref.createServer();
  listenOn(server, join(shortFolder(), 'x'.repeat(200)));
  const [error] = await once(server, 'error');
  t.match(error, { code: 'EINVAL', syscall: 'listen' });
  t.equal(server.listening, false);
});

t.test('what listen refuses at once', async (t) => {
  const values: unknown[] = [
    { port: -1 },
    { port: 65_536 },
    { port: 1.5 },
    { port: 'x', host: 'localhost' },
    { port: false },
    { host: 'localhost' },
    {},
    { path: 5 },
    { fd: -1 },
    70_000,
    -1,
    true,
  ];
  for (const value of values) {
    let expected: { code?: string; message?: string } = {};
    try {
      (nodeServer().listen as unknown as Listen)(value).on('error', () => undefined);
    } catch (error) {
      expected = error as Error;
    }
    const { code, message } = expected;
    t.throws(() => listenOn(soref.createServer(), value), { code, message }, JSON.stringify(value));
  }
});

t.test('listening twice', async (t) => {
  const server = soref.createServer().listen(0);
  t.throws(() => server.listen(0), { code: 'ERR_SERVER_ALREADY_LISTEN' });
  await once(server, 'listening');
  await closed(server);
});

t.test('close: its callback, twice, and without listening', async (t) => {
  const server = soref.createServer().listen(0);
  await once(server, 'listening');
  t.equal(await new Promise((resolve) => server.close(resolve)), undefined);
  t.match(await new Promise((resolve) => server.close(resolve)), {
    code: 'ERR_SERVER_NOT_RUNNING',
  });
});

t.test('a signal and await using close the server', async (t) => {
  const controller = new AbortController();
  const server = soref.createServer();
  server.listen({ port: 0, signal: controller.signal });
  await once(server, 'listening');
  controller.abort();
  await once(server, 'close');
  server.listen({ port: 0, signal: AbortSignal.abort() });
  await once(server, 'close');
  const wrong = { port: 0, signal: {} as AbortSignal };
  t.throws(() => soref.createServer().listen(wrong), { code: 'ERR_INVALID_ARG_TYPE' });
  server.listen(0);
  await once(server, 'listening');
  await server[Symbol.asyncDispose]();
  t.equal(server.listening, false);
  await server[Symbol.asyncDispose]();
});

t.test('the diagnostics channel traces listen', async (t) => {
  const { tracingChannel } = require('node:diagnostics_channel');
  const seen: string[] = [];
  const handlers = {
    asyncStart: () => seen.push('asyncStart'),
    asyncEnd: () => seen.push('asyncEnd'),
    error: () => seen.push('error'),
    start() {},
    end() {},
  };
  const channel = tracingChannel('net.server.listen');
  channel.subscribe(handlers);
  const server = soref.createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const second = soref.createServer().listen(port);
  await once(second, 'error');
  channel.unsubscribe(handlers);
  t.same(seen, ['asyncStart', 'asyncEnd', 'asyncStart', 'error']);
  await closed(server);
});
