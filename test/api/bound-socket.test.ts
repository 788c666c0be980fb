// Sockets that are bound before they are used: on every Node line, also on those whose net has none. Where it has,
// the parity scenarios compare.
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as net from 'soref';
import t from 'tap';
import { freePort } from './free-port';
import { shortFolder } from './programs';

type Port = { port: number; address: string; family: string };

async function readFrom(socket: net.Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

t.test('a server listens on one', async (t) => {
  const path = join(shortFolder(), 'socket');
  for (const where of [{ port: 0, host: '127.0.0.1' }, { path }, { path: '\0soref-bound' }]) {
    const bound = new net.BoundSocket(where);
    const address = bound.address();
    t.ok(bound.fd() > 2);
    t.equal(bound.isPipe, 'path' in where);
    const server = net.createServer((socket) => socket.end('bound'));
    // Either is how Node's documentation shows it.
    server.listen((bound.isPipe ? bound : { handle: bound }) as never);
    await once(server, 'listening');
    t.same(server.address(), address);
    t.throws(() => bound.address(), { code: 'ERR_SOCKET_HANDLE_ADOPTED' });
    t.throws(() => bound.fd(), { code: 'ERR_SOCKET_HANDLE_ADOPTED' });
    t.throws(() => bound.close(), { code: 'ERR_SOCKET_HANDLE_ADOPTED' });
    bound[Symbol.dispose]();
    t.throws(() => server.listen({ handle: bound } as never), {
      code: 'ERR_SERVER_ALREADY_LISTEN',
    });
    const target = typeof address === 'string' ? { path: address } : (address as Port);
    t.equal(await readFrom(net.connect(target as never)), 'bound');
    server.close();
    await once(server, 'close');
    t.throws(() => net.createServer().listen({ handle: bound } as never), {
      code: 'ERR_SOCKET_HANDLE_ADOPTED',
    });
  }
  t.throws(() => statSync(path), { code: 'ENOENT' }, 'the path goes with the server');
});

t.test('a socket connects from one', async (t) => {
  const server = net.createServer((socket) => {
    socket.end(`${socket.remotePort}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as Port;
  for (const host of ['127.0.0.1', 'a.name']) {
    const bound = new net.BoundSocket({ host: '127.0.0.1' });
    const { port: own } = bound.address() as Port;
    const socket = new net.Socket({ handle: bound } as never);
    t.equal(socket.pending, false);
    t.equal(socket.localPort, own);
    const lookup = ((_: string, __: object, done: (...found: unknown[]) => void) =>
      process.nextTick(done, null, '127.0.0.1', 4)) as never;
    t.throws(() => socket.connect({ port, host, localPort: 5 }), { code: 'ERR_INVALID_ARG_VALUE' });
    socket.connect({ port, host, lookup });
    t.equal(socket.localPort, own, 'known when connect returns');
    t.equal(await readFrom(socket), String(own));
    t.throws(() => bound.address(), { code: 'ERR_SOCKET_HANDLE_ADOPTED' });
  }
  server.close();
  await once(server, 'close');
});

t.test('a socket connects from a path', async (t) => {
  const folder = shortFolder();
  const server = net.createServer((socket) => socket.resume().end('hello'));
  server.listen(join(folder, 'server'));
  await once(server, 'listening');
  const path = join(folder, 'client');
  const socket = new net.Socket({ handle: new net.BoundSocket({ path }) } as never);
  t.equal(socket.localAddress, path);
  socket.connect(join(folder, 'server'));
  t.equal(await readFrom(socket), 'hello');
  t.notOk(existsSync(path), 'the path goes with the socket');
  server.close();
  await once(server, 'close');
});

t.test('what nobody adopts is closed', async (t) => {
  const path = join(shortFolder(), 'again');
  for (const where of [{ host: '127.0.0.1' }, { path }] as net.BoundSocketOptions[]) {
    const first = new net.BoundSocket(where);
    const address = first.address();
    const again = { ...where, ...(typeof address === 'string' ? {} : { port: address.port }) };
    first.close();
    const second = new net.BoundSocket(again);
    t.same(second.address(), address);
    second[Symbol.dispose]();
    second[Symbol.dispose]();
    // One that a socket has adopted is closed with the socket.
    const socket = new net.Socket({ handle: new net.BoundSocket(again) } as never);
    await once(socket.destroy(), 'close');
    new net.BoundSocket(again).close();
  }
  t.notOk(existsSync(path));
});

t.test('a port shared, and IPv6 alone', async (t) => {
  const first = new net.BoundSocket({ host: '127.0.0.1', reusePort: true });
  const { port } = first.address() as Port;
  const second = new net.BoundSocket({ host: '127.0.0.1', port, reusePort: true });
  t.equal((second.address() as Port).port, port);
  first.close();
  second.close();
  const both = await freePort();
  const six = new net.BoundSocket({ ipv6Only: true, port: both });
  t.match(six.address(), { address: '::', family: 'IPv6', port: both });
  const four = new net.BoundSocket({ port: both });
  t.match(four.address(), { address: '0.0.0.0', family: 'IPv4', port: both });
  six.close();
  four.close();
});

t.test('what cannot be bound', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as Port;
  const inUse = { code: 'EADDRINUSE', syscall: 'bind', address: '127.0.0.1', port };
  t.throws(() => new net.BoundSocket({ host: '127.0.0.1', port }), inUse);
  server.close();
  await once(server, 'close');

  const bind = (options: unknown) => () => new net.BoundSocket(options as never);
  const folder = shortFolder();
  const path = join(folder, 'x');
  t.throws(bind(null), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(bind({ host: 'localhost' }), { code: 'ERR_INVALID_ARG_VALUE', name: 'TypeError' });
  t.throws(bind({ host: 1 }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(bind({ port: 65536 }), { code: 'ERR_SOCKET_BAD_PORT' });
  t.throws(bind({ ipv6Only: 1 }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(bind({ reusePort: 1 }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(bind({ path, port: 1 }), { code: 'ERR_INVALID_ARG_VALUE' });
  t.throws(bind({ path: 5 }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(bind({ path: join(path, 'none') }), { code: 'EACCES', syscall: 'bind' });
  t.throws(bind({ host: '192.0.2.1' }), { code: 'EADDRNOTAVAIL', syscall: 'bind' });
});

t.test('the class looks like Node’s', async (t) => {
  t.equal(net.BoundSocket.name, 'BoundSocket');
  t.equal(net.BoundSocket.length, 0);
  t.same(Object.keys(net.BoundSocket.prototype), []);
  t.ok('isPipe' in net.BoundSocket.prototype);
});
