// socket.connect(): what it connects to, what it tells on the way, and the errors it ends with.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as net from 'soref';
import t, { type Test } from 'tap';

async function listen(t: Test, options: object = { port: 0, host: '127.0.0.1' }) {
  const server = net.createServer((socket) => socket.on('error', () => {}).end());
  server.listen(options);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return server;
}

function portOf(server: net.Server): number {
  return (server.address() as net.AddressInfo).port;
}

/** What 'close' says, whatever errors come before. */
function closeOf(socket: net.Socket): Promise<boolean> {
  return new Promise((resolve) => socket.once('close', resolve));
}

/** The port of a server that is no more: nobody listens there. */
async function deadPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

t.test('names and states before, during and after a connection', async (t) => {
  const server = await listen(t);
  const socket = new net.Socket();
  t.strictSame([socket.pending, socket.connecting, socket.readyState], [true, false, 'open']);
  socket.connect(portOf(server), '127.0.0.1');
  t.strictSame([socket.pending, socket.connecting, socket.readyState], [true, true, 'opening']);
  await once(socket, 'connect');
  t.strictSame([socket.pending, socket.connecting, socket.readyState], [false, false, 'open']);
  t.equal(socket.remotePort, portOf(server));
  t.equal(socket.remoteAddress, '127.0.0.1');
  t.equal(socket.remoteFamily, 'IPv4');
  t.strictSame(socket.address(), {
    address: '127.0.0.1',
    family: 'IPv4',
    port: socket.localPort,
  });
  socket.resume();
  await once(socket, 'close');
  t.equal(socket.readyState, 'closed');
  t.equal(socket.remotePort, portOf(server), 'the peer is known after the end');
});

t.test('a refused connection', async (t) => {
  const port = await deadPort();
  const attempts: unknown[][] = [];
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.on('connectionAttempt', (...values) => attempts.push(['try', ...values]));
  socket.on('connectionAttemptFailed', (...values) =>
    attempts.push(['fail', ...values.slice(0, 3)]),
  );
  const [error] = await once(socket, 'error');
  t.match(error, {
    message: `connect ECONNREFUSED 127.0.0.1:${port}`,
    code: 'ECONNREFUSED',
    errno: -111,
    syscall: 'connect',
    address: '127.0.0.1',
    port,
  });
  t.equal(error.constructor, Error);
  const [hadError] = await once(socket, 'close');
  t.equal(hadError, true);
  t.strictSame(attempts, [
    ['try', '127.0.0.1', port, 4],
    ['fail', '127.0.0.1', port, 4],
  ]);
});

t.test('a refused connection from a given local address tells it', async (t) => {
  const port = await deadPort();
  const localPort = await deadPort();
  const socket = net.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.1', localPort });
  const [error] = await once(socket, 'error');
  t.equal(error.message, `connect ECONNREFUSED 127.0.0.1:${port} - Local (127.0.0.1:${localPort})`);
  t.match(error, { localAddress: '127.0.0.1', localPort });
});

t.test('a local port that is in use, and a local address of the other family', async (t) => {
  const server = await listen(t);
  const port = portOf(server);
  const taken = net.connect({
    port,
    host: '127.0.0.1',
    localAddress: '127.0.0.1',
    localPort: port,
  });
  t.match((await once(taken, 'error'))[0], {
    message: `bind EADDRINUSE 127.0.0.1:${port}`,
    syscall: 'bind',
  });
  const other = net.connect({ port, host: '127.0.0.1', localAddress: '::1' });
  t.match((await once(other, 'error'))[0], { message: 'bind EINVAL ::1', code: 'EINVAL' });
});

t.test('paths', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'soref-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'socket');
  const missing = net.connect(path);
  t.match((await once(missing, 'error'))[0], {
    message: `connect ENOENT ${path}`,
    address: path,
    code: 'ENOENT',
  });
  for (const name of [path, `\0soref-test-${process.pid}`]) {
    await listen(t, { path: name });
    const socket = net.connect({ path: name });
    await once(socket, 'connect');
    t.strictSame([socket.remoteAddress, socket.localPort], [undefined, undefined]);
    socket.resume();
    await once(socket, 'close');
  }
});

t.test('arguments that are wrong throw at once', async (t) => {
  const connect = (options: object) => () => {
    const socket = new net.Socket();
    try {
      socket.connect(options as never);
    } finally {
      socket.destroy();
    }
  };
  t.throws(connect({}), {
    code: 'ERR_MISSING_ARGS',
    message: 'The "options" or "port" or "path" argument must be specified',
  });
  t.throws(connect({ port: 65536 }), {
    name: 'RangeError',
    code: 'ERR_SOCKET_BAD_PORT',
    message: 'Port should be >= 0 and < 65536. Received type number (65536).',
  });
  t.throws(connect({ port: null }), {
    name: 'TypeError',
    code: 'ERR_INVALID_ARG_TYPE',
    message: 'The "options.port" property must be one of type number or string. Received null',
  });
  t.throws(connect({ port: 1, localAddress: 'x' }), { message: 'Invalid IP address: x' });
  t.throws(connect({ port: 1, localPort: 'x' }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(connect({ port: 1, lookup: 1 }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(connect({ port: 1, host: 'a\0b' }), { code: 'ERR_INVALID_ARG_VALUE' });
  t.throws(() => new net.Socket({ objectMode: true } as never), {
    message: "The property 'options.objectMode' is not supported. Received true",
  });
});

t.test('a lookup of the caller', async (t) => {
  const server = await listen(t);
  const socket = net.connect({
    port: portOf(server),
    host: 'nowhere.example',
    family: 4,
    lookup: (_host, _options, callback) => callback(null, '127.0.0.1', 4),
  });
  await once(socket, 'connect');
  socket.resume();
  await once(socket, 'close');

  const wrong = net.connect({
    port: 1,
    host: 'nowhere.example',
    family: 4,
    lookup: (_host, _options, callback) => callback(null, '127.0.0.1', 100),
  });
  t.match((await once(wrong, 'error'))[0], {
    code: 'ERR_INVALID_ADDRESS_FAMILY',
    message: 'Invalid address family: 100 nowhere.example:1',
    port: 1,
  });
});

t.test('a blocked address', async (t) => {
  const blockList = new net.BlockList();
  blockList.addAddress('127.0.0.1');
  const socket = net.connect({ port: 1, host: '127.0.0.1', blockList } as never);
  t.match((await once(socket, 'error'))[0], { code: 'ERR_IP_BLOCKED' });
});

t.test('an abort signal', async (t) => {
  const server = await listen(t);
  for (const connected of [false, true]) {
    const controller = new AbortController();
    const { signal } = controller;
    const socket = net.connect({ port: portOf(server), host: '127.0.0.1', signal } as never);
    const closed = closeOf(socket);
    if (connected) await once(socket, 'connect');
    const failed = once(socket, 'error');
    controller.abort();
    t.match((await failed)[0], { name: 'AbortError', code: 'ABORT_ERR' });
    t.equal(await closed, true);
  }
  t.throws(() => new net.Socket({ signal: 'x' } as never), { code: 'ERR_INVALID_ARG_TYPE' });
});

t.test(
  'destroyed before it connects, a socket never connects, and connects again later',
  async (t) => {
    const server = await listen(t);
    const socket = net.connect(portOf(server), '127.0.0.1');
    socket.once('connect', () => t.fail('connected'));
    socket.destroy();
    const [hadError] = await once(socket, 'close');
    t.equal(hadError, false);
    socket.removeAllListeners('connect');
    socket.connect(portOf(server), '127.0.0.1');
    await once(socket, 'connect');
    socket.resume();
    await once(socket, 'end');
    if (!socket.closed) await once(socket, 'close');
  },
);

t.test('writes that wait for a connection which never comes', async (t) => {
  const socket = net.connect(await deadPort(), '127.0.0.1');
  socket.on('error', () => {});
  let calls = 0;
  const errors: (string | undefined)[] = [];
  for (const text of ['one', 'two']) {
    socket.write(text, (error) => {
      calls++;
      errors.push((error as NodeJS.ErrnoException | null)?.code);
    });
  }
  t.equal(socket.bytesWritten, 6, 'what waits is counted');
  t.equal(await closeOf(socket), true);
  await new Promise(setImmediate);
  t.equal(calls, 2);
  t.ok(errors.every((code) => code !== undefined));
});
