// What a server does with its connections: options, limits, counting, events, and its end.
import { once } from 'node:events';
import { type AddressInfo, connect as nodeConnect } from 'node:net';

import soref = require('soref');

import t from 'tap';

type Server = InstanceType<typeof soref.Server>;
type Socket = InstanceType<typeof soref.Socket>;

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const connect = (port: number): Socket => soref.connect(port, '127.0.0.1');

const count = (server: Server) =>
  new Promise<number>((resolve, reject) => {
    server.getConnections((error, connections) => (error ? reject(error) : resolve(connections)));
  });

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

t.test('a connection has its options, its server, and its names', async (t) => {
  const server = soref.createServer({
    allowHalfOpen: true,
    pauseOnConnect: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 2500,
    highWaterMark: 100,
  });
  t.match(server, { noDelay: true, keepAlive: true, keepAliveInitialDelay: 2, highWaterMark: 100 });
  const port = await listen(server);
  const client = connect(port);
  const [socket] = await once(server, 'connection');
  t.ok(socket instanceof soref.Socket);
  t.match(socket, { allowHalfOpen: true, server, _server: server });
  t.equal(socket.readableHighWaterMark, 100);
  t.equal(socket.writableHighWaterMark, 100);
  t.equal(socket.isPaused(), true);
  t.equal(socket.localPort, port);
  t.equal(socket.remotePort, client.localPort);
  t.equal(socket.remoteFamily, 'IPv4');
  client.destroy();
  socket.destroy();
  await close(server);
});

t.test('options that make no sense', async (t) => {
  const wrong: [object, string][] = [
    [{ keepAliveInitialDelay: 'long' }, 'ERR_INVALID_ARG_TYPE'],
    [{ highWaterMark: '1' }, 'ERR_INVALID_ARG_TYPE'],
    [{ blockList: {} }, 'ERR_INVALID_ARG_TYPE'],
  ];
  for (const [options, code] of wrong) t.throws(() => soref.createServer(options), { code });
  t.throws(() => soref.createServer('options' as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.equal(soref.createServer({ keepAliveInitialDelay: -5 } as object).listening, false);
});

t.test('maxConnections drops what is too much, and tells whom', async (t) => {
  const server = soref.createServer();
  server.maxConnections = 1;
  const port = await listen(server);
  const first = connect(port);
  const [accepted] = await once(server, 'connection');
  const second = connect(port);
  const [data] = await once(server, 'drop');
  t.match(data, { localAddress: '127.0.0.1', localPort: port, localFamily: 'IPv4' });
  t.match(data, { remoteAddress: '127.0.0.1', remoteFamily: 'IPv4', remotePort: Number });
  second.resume();
  second.on('error', () => undefined);
  await once(second, 'close');
  t.equal(await count(server), 1);
  accepted.destroy();
  first.destroy();
  await once(first, 'close');
  const third = connect(port);
  await once(server, 'connection').then(([socket]) => socket.destroy());
  third.destroy();
  await close(server);
});

t.test('a blocked address is closed without an event', async (t) => {
  const blockList = new soref.BlockList();
  blockList.addAddress('127.0.0.1');
  const server = soref.createServer({ blockList }, () => t.fail('it is blocked'));
  const client = connect(await listen(server)).resume();
  client.on('error', () => undefined);
  await once(client, 'close');
  t.equal(await count(server), 0);
  await close(server);
});

t.test('attach comes before connection', async (t) => {
  const events: string[] = [];
  const server = soref.createServer();
  server.on('attach', (socket) => events.push(`attach ${socket.attached}`));
  server.on('connection', (socket) => {
    events.push('connection');
    socket.end();
  });
  const client = connect(await listen(server)).resume();
  await once(client, 'close');
  t.same(events, ['attach true', 'connection']);
  await close(server);
});

t.test('detach() tells the server, and the connection no longer counts', async (t) => {
  const server = soref.createServer();
  const port = await listen(server);
  const client = connect(port);
  const [socket] = await once(server, 'connection');
  const told = once(server, 'detach');
  const detached = socket.detach();
  t.equal((await told)[0], socket);
  t.equal(await count(server), 0);
  const again = soref.Socket.attach(detached);
  again.end('from its new owner');
  client.setEncoding('utf8');
  t.equal((await once(client, 'data'))[0], 'from its new owner');
  client.end();
  await once(client, 'close');
  await close(server);
});

t.test('close waits for the last connection', async (t) => {
  const server = soref.createServer();
  const client = connect(await listen(server));
  const [socket] = await once(server, 'connection');
  let isClosed = false;
  server.close(() => {
    isClosed = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(isClosed, false);
  t.equal(server.listening, false);
  socket.end();
  client.end();
  await once(server, 'close');
  t.equal(isClosed, true);
});

t.test('a server that closes while others arrive has no further connection', async (t) => {
  let connections = 0;
  let closes = 0;
  const server = soref.createServer((socket) => {
    connections += 1;
    socket.destroy();
    server.close();
  });
  server.on('close', () => {
    closes += 1;
  });
  const port = await listen(server);
  const arriving = Array.from({ length: 20 }, () => nodeConnect(port, '127.0.0.1'));
  const ends = arriving.map(async (client) => {
    const errors: NodeJS.ErrnoException[] = [];
    client.on('error', (error) => errors.push(error)).resume();
    await new Promise((resolve) => client.on('close', resolve));
    return errors[0]?.code;
  });
  const codes = await Promise.all(ends);
  t.equal(connections, 1);
  t.equal(closes, 1);
  t.equal(codes.filter((code) => code === 'ECONNRESET').length, 19);
});

t.test('a rejected listener destroys the connection', async (t) => {
  const server = new soref.Server({ captureRejections: true } as object);
  (server as unknown as Record<symbol, boolean>)[Symbol('unrelated')] = true;
  const { captureRejectionSymbol } = require('node:events');
  const port = await listen(server);
  const client = connect(port).resume();
  const [socket] = (await once(server, 'connection')) as [Socket];
  const failure = new Error('rejected');
  const members = server as unknown as Record<symbol, (...values: unknown[]) => void>;
  members[captureRejectionSymbol]?.(failure, 'connection', socket);
  t.equal((await once(socket, 'error'))[0], failure);
  await once(client, 'close');
  await close(server);
});

t.test('connections can be taken by whoever sets onconnection', async (t) => {
  const server = soref.createServer(() => t.fail('the connection is somebody else’s'));
  const port = await listen(server);
  const handle = (server as unknown as { _handle: Record<string, unknown> })._handle;
  const given = new Promise<[number, { close(): void; getpeername(out: object): number }]>(
    (resolve) => {
      handle.onconnection = (...values: never) => resolve(values);
    },
  );
  const client = connect(port).resume();
  const [errno, child] = await given;
  t.equal(errno, 0);
  t.equal(child.getpeername({}), 0);
  child.close();
  await once(client, 'close');
  t.equal(await count(server), 0);
  await close(server);
});

t.test('an unreferenced server does not keep the process', async (t) => {
  const server = soref.createServer();
  await listen(server);
  t.equal(server.unref(), server);
  t.equal(server.ref(), server);
  await close(server);
});

t.test('the diagnostics channel names every accepted socket', async (t) => {
  const { subscribe, unsubscribe } = require('node:diagnostics_channel');
  const seen: unknown[] = [];
  const listener = ({ socket }: { socket: unknown }) => seen.push(socket);
  subscribe('net.server.socket', listener);
  const server = soref.createServer();
  const client = connect(await listen(server)).resume();
  const [socket] = await once(server, 'connection');
  unsubscribe('net.server.socket', listener);
  t.same(seen, [socket]);
  socket.destroy();
  await once(client, 'close');
  await close(server);
});
