// What newer Nodes can do with sockets and servers, soref can on every Node. What the kernel was told
// is asked of the kernel, by a process that has the same descriptor.
import { spawnSync } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import * as net from 'soref';
import t, { type Test } from 'tap';
import { runRegistered } from './programs';

async function listen(t: Test, server: net.Server, options: object = {}): Promise<number> {
  t.teardown(() => server.close());
  server.listen({ port: 0, host: '127.0.0.1', ...options });
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

async function connected(t: Test, options: object = {}): Promise<net.NewerSocket> {
  const server = net.createServer((peer) => peer.resume());
  const port = await listen(t, server);
  const client = net.connect({ port, host: '127.0.0.1', ...options });
  t.teardown(() => client.destroy());
  await once(client, 'connect');
  return client;
}

/**
 * Socket options as the kernel has them, by the names of Python's socket module. What was set in a
 * turn of the loop the kernel has when the turn ends.
 */
async function kernelOptions(
  socket: net.Socket,
  ...names: [level: string, option: string][]
): Promise<number[]> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise(setImmediate);
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
  const asked = names.map(([level, option]) => `s.getsockopt(socket.${level}, socket.${option})`);
  const program = `import socket; s = socket.socket(fileno=3); print([${asked.join(', ')}])`;
  const { stdout, stderr } = spawnSync('python3', ['-c', program], {
    stdio: ['ignore', 'pipe', 'pipe', fd],
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

t.test('keep-alive: delay, interval and count', async (t) => {
  const client = await connected(t);
  const asked: [string, string][] = [
    ['SOL_SOCKET', 'SO_KEEPALIVE'],
    ['IPPROTO_TCP', 'TCP_KEEPIDLE'],
    ['IPPROTO_TCP', 'TCP_KEEPINTVL'],
    ['IPPROTO_TCP', 'TCP_KEEPCNT'],
  ];
  t.equal(client.setKeepAlive(true, 12_000, 3_000, 4), client);
  t.same(await kernelOptions(client, ...asked), [1, 12, 3, 4]);
  client.setKeepAlive({ enable: true, initialDelay: 20_500, interval: 6_000, count: 5 });
  t.same(await kernelOptions(client, ...asked), [1, 20, 6, 5]);
  client.setKeepAlive({ enable: false });
  t.equal((await kernelOptions(client, ...asked))[0], 0);
});

t.test('keep-alive that is set before there is a connection', async (t) => {
  const server = net.createServer((peer) => peer.resume());
  const port = await listen(t, server);
  const client = new net.Socket();
  client.setKeepAlive({ enable: true, initialDelay: 9_000, interval: 2_000, count: 7 });
  client.connect(port, '127.0.0.1');
  await once(client, 'connect');
  const idle = await kernelOptions(
    client,
    ['IPPROTO_TCP', 'TCP_KEEPIDLE'],
    ['IPPROTO_TCP', 'TCP_KEEPCNT'],
  );
  t.same(idle, [9, 7]);
  client.destroy();
});

t.test('type of service', async (t) => {
  const client = await connected(t, { typeOfService: 8 });
  t.equal(client.getTypeOfService(), 8);
  t.equal(client.setTypeOfService(32), client);
  t.same(await kernelOptions(client, ['IPPROTO_IP', 'IP_TOS']), [32]);
  t.throws(() => client.setTypeOfService(256), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => client.setTypeOfService('8' as never), { code: 'ERR_INVALID_ARG_TYPE' });
  const unconnected = new net.Socket();
  t.equal(unconnected.getTypeOfService(), 0);
  t.equal(unconnected.setTypeOfService(16).getTypeOfService(), 16);
});

t.test('reusePort: two servers on one port', async (t) => {
  const port = await listen(t, net.createServer(), { reusePort: true });
  t.equal(await listen(t, net.createServer(), { reusePort: true, port }), port);
});

t.test('block lists refuse addresses to the client and the server', async (t) => {
  const blockList = new net.BlockList();
  blockList.addAddress('127.0.0.1');
  const server = net.createServer({ blockList }, () => t.fail('no connection may come'));
  const port = await listen(t, server);
  const refused = net.connect({ port, host: '127.0.0.1' }).resume();
  await once(refused, 'close');
  const client = net.connect({ port, host: '127.0.0.1', blockList });
  await t.rejects(once(client, 'connect'), { code: 'ERR_IP_BLOCKED' });
});

t.test('a server is disposed of', async (t) => {
  const server = net.createServer();
  await listen(t, server);
  await server[Symbol.asyncDispose]();
  t.equal(server.listening, false);
  await server[Symbol.asyncDispose]();
});

t.test('diagnostics channels', async (t) => {
  const told: { name: string; message: { socket?: unknown } }[] = [];
  const listenTo = (name: string): void => {
    const listener = (message: unknown) => told.push({ name, message: message as object });
    channel(name).subscribe(listener);
    t.teardown(() => channel(name).unsubscribe(listener));
  };
  const tracing = 'tracing:net.server.listen';
  const names = ['net.client.socket', 'net.server.socket'];
  names.push(`${tracing}:asyncStart`, `${tracing}:asyncEnd`, `${tracing}:error`);
  names.forEach(listenTo);
  const server = net.createServer((peer) => peer.resume());
  const port = await listen(t, server);
  const client = net.connect(port, '127.0.0.1');
  const [peer] = await once(server, 'connection');
  const failing = net.createServer().on('error', () => {});
  failing.listen(port, '127.0.0.1');
  await once(failing, 'error');
  t.same(
    told.map(({ name }) => name.replace(tracing, 'listen')),
    [
      'listen:asyncStart',
      'listen:asyncEnd',
      'net.client.socket',
      'net.server.socket',
      'listen:asyncStart',
      'listen:error',
    ],
  );
  t.match(told[0]?.message, { server, options: { port: 0, host: '127.0.0.1' } });
  t.equal(told[2]?.message.socket, client);
  t.equal(told[3]?.message.socket, peer);
  t.match(told[5]?.message, { server: failing, error: { code: 'EADDRINUSE' } });
  client.destroy();
});

t.test('dropMaxConnection: a worker drops what is too much for it', async (t) => {
  const folder = t.testdir({
    'program.js': `
      const cluster = require('node:cluster');
      const net = require('net');
      cluster.schedulingPolicy = cluster.SCHED_RR;
      if (cluster.isPrimary) {
        const worker = cluster.fork();
        worker.on('message', (text) => console.log(text));
        cluster.on('listening', (_, { port }) => {
          const first = net.connect(port, '127.0.0.1').on('data', () => {
            net.connect(port, '127.0.0.1').resume().on('close', () => {
              console.log('the second is closed');
              first.destroy();
              worker.disconnect();
            });
          });
        });
      } else {
        const server = net.createServer((peer) => peer.resume().write('served'));
        server.maxConnections = 1;
        server.dropMaxConnection = true;
        server.on('drop', ({ localAddress }) => process.send('dropped at ' + localAddress));
        server.listen(0, '127.0.0.1');
      }`,
  });
  const { status, stdout, stderr } = await runRegistered(`${folder}/program.js`);
  t.same(stdout.trim().split('\n').sort(), ['dropped at 127.0.0.1', 'the second is closed']);
  t.equal(stderr, '');
  t.equal(status, 0);
});
