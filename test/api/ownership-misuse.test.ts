// What a program ought not to do with descriptors and sockets: give away twice, go on after giving
// away, attach what is no connection or somebody's, close behind a socket's back, forget a socket.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import * as net from 'soref';
import t, { type Test } from 'tap';
import { run } from './programs';

interface Pair {
  server: net.Server;
  client: net.Socket;
  peer: net.Socket;
}

async function pair(t: Test, onConnection?: (socket: net.Socket) => void): Promise<Pair> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  if (onConnection) server.on('connection', onConnection);
  const accepted = once(server, 'connection');
  const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
  const [[peer]] = await Promise.all([accepted, once(client, 'connect')]);
  t.teardown(() => {
    client.destroy();
    peer.destroy();
    server.close();
  });
  return { server, client, peer };
}

const descriptorOf = (socket: unknown) => (socket as { _handle: { fd: number } })._handle.fd;

/** The descriptors of this process that are sockets. */
const sockets = () =>
  readdirSync('/proc/self/fd').filter((name) => {
    // The folder itself was open while it was read.
    try {
      return readlinkSync(`/proc/self/fd/${name}`).startsWith('socket:');
    } catch {
      return false;
    }
  });

/** Counts the ends of a socket, which has to have exactly one. */
function ends(socket: net.Socket): { events: string[]; closed: Promise<void> } {
  const events: string[] = [];
  for (const event of ['end', 'detach', 'error', 'close']) {
    socket.on(event as never, () => events.push(event));
  }
  return { events, closed: new Promise((resolve) => socket.once('close', () => resolve())) };
}

t.test('detach in any listener: once, and the bytes go on elsewhere', async (t) => {
  for (const event of ['connection', 'data', 'readable', 'drain', 'timeout', 'end']) {
    let seen: ReturnType<typeof ends> | undefined;
    let detached: net.Detached | undefined;
    const give = (socket: net.Socket) => {
      detached ??= socket.detach();
      t.throws(() => socket.detach(), { code: 'ERR_SOREF_DETACHED' }, `twice in ${event}`);
    };
    const { client, peer } = await pair(t, (socket) => {
      seen = ends(socket);
      if (event === 'connection') give(socket);
      else if (event === 'timeout') socket.setTimeout(1, () => give(socket));
      else socket.once(event as 'data', () => give(socket));
      if (event === 'end') socket.allowHalfOpen = true;
      if (event === 'end') socket.resume();
      if (event === 'drain') socket.write(Buffer.alloc(4 << 20));
    });
    if (event === 'drain') client.resume();
    if (event === 'data' || event === 'readable') client.write('first, ');
    if (event === 'end') client.end();
    await seen?.closed;
    t.strictSame(seen?.events, event === 'end' ? ['end', 'detach', 'close'] : ['detach', 'close']);
    t.equal(peer.attached, false);
    const again = net.Socket.attach(detached as net.Detached);
    const heard = new Promise<string>((resolve) => {
      let text = '';
      client.on('data', (data) => {
        text += data;
        if (text.endsWith('from the new owner')) resolve(text);
      });
    });
    again.write('from the new owner');
    t.match(await heard, /from the new owner$/, event);
    const { closed } = ends(again);
    again.destroy();
    await closed;
  }
});

t.test('destroy in any listener ends a socket once', async (t) => {
  const events = ['connection', 'data', 'readable', 'drain', 'finish', 'timeout', 'end', 'close'];
  for (const event of events) {
    let seen: ReturnType<typeof ends> | undefined;
    const { client } = await pair(t, (socket) => {
      seen = ends(socket);
      const destroy = () => socket.destroy().destroy();
      if (event === 'connection') destroy();
      else if (event === 'timeout') socket.setTimeout(1, destroy);
      else socket.on(event as 'data', destroy);
      if (['end', 'close'].includes(event)) socket.resume();
      if (event === 'drain') socket.write(Buffer.alloc(4 << 20));
      if (event === 'finish') socket.end('x');
    });
    client.resume();
    if (event === 'data' || event === 'readable') client.write('x');
    if (event === 'end' || event === 'close') client.end();
    await seen?.closed;
    await new Promise(setImmediate);
    t.equal(seen?.events.filter((name) => name === 'close').length, 1, event);
    t.notOk(seen?.events.includes('error'), event);
  }
});

t.test('a socket that was given away is a destroyed one', async (t) => {
  const { peer } = await pair(t);
  const { localPort, remotePort } = peer;
  const { fd } = peer.detach();
  const errors: (string | undefined)[] = [];
  peer.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code));
  const written = new Promise<NodeJS.ErrnoException>((resolve) => {
    peer.write('nobody sends this', (error) => resolve(error as NodeJS.ErrnoException));
  });
  t.equal((await written).code, 'ERR_STREAM_DESTROYED');
  t.equal(peer.setNoDelay(true), peer);
  t.equal(peer.setKeepAlive(true, 1000), peer);
  t.equal(peer.setTimeout(1), peer);
  t.equal(peer.ref().unref().pause().resume(), peer);
  t.equal(peer.read(), null);
  t.strictSame(peer.address(), {});
  t.equal(peer.remotePort, remotePort, 'the peer is still known');
  t.equal(peer.readyState, 'closed');
  t.ok(localPort && remotePort);
  peer.end('nor this');
  peer.destroySoon();
  peer.destroy(new Error('too late'));
  t.equal(peer.resetAndDestroy(), peer);
  await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(peer.attached, false);
  // The descriptor is still as it was.
  const again = net.Socket.attach(fd);
  t.equal(again.remotePort, remotePort);
  again.destroy();
  await once(again, 'close');
});

t.test('what cannot be attached stays its owner’s', async (t) => {
  const before = net.ledger().live;
  const file = openSync('/dev/null', 'r');
  t.throws(() => net.Socket.attach(file), { syscall: 'open', code: 'ENOTSOCK' });
  closeSync(file);
  t.throws(() => net.Socket.attach(file), { syscall: 'open', code: 'EBADF' });
  t.throws(() => net.Socket.attach({ fd: file, head: [], tail: [] }), { code: 'EBADF' });
  t.throws(() => net.Socket.attach(1 << 30), { code: 'EBADF' });
  for (const kind of ['udp4', 'udp6'] as const) {
    const others = sockets();
    const datagrams = createSocket(kind).bind(0);
    await once(datagrams, 'listening');
    const [descriptor] = sockets().filter((name) => !others.includes(name));
    t.throws(() => net.Socket.attach(Number(descriptor)), { code: 'EINVAL', syscall: 'open' });
    const closed = once(datagrams, 'close');
    datagrams.close();
    await closed;
  }
  t.equal(net.ledger().live, before);
});

t.test('a descriptor that a socket holds has an owner already', async (t) => {
  const { server, client, peer } = await pair(t);
  for (const owner of [peer, client, server]) {
    const error = { syscall: 'open', code: 'EEXIST' };
    t.throws(() => net.Socket.attach(descriptorOf(owner)), error);
  }
  client.write('undisturbed');
  t.equal(String((await once(peer, 'data'))[0]), 'undisturbed');
  // While a socket closes its descriptor is still its own; after it, nobody's.
  const descriptor = descriptorOf(peer);
  peer.destroy();
  t.throws(() => net.Socket.attach(descriptor), { code: /EEXIST|EBADF/ });
  await once(peer, 'close');
  t.throws(() => net.Socket.attach(descriptor), { code: 'EBADF' });
});

t.test('a listener that is attached as a connection says that it is none', async (t) => {
  // In a process of its own, since Node's listener does not know that its descriptor goes.
  const file = `${t.testdir({
    'program.cjs': `
    const { Socket } = require('soref');
    process.on('warning', () => {});
    const listener = require('node:net').createServer().listen(0, '127.0.0.1', () => {
      const { fd } = Socket.attach(listener._handle.fd, { manualStart: true }).detach();
      const socket = Socket.attach(fd);
      socket.on('error', ({ message }) => console.log(fd === listener._handle.fd, message));
      socket.on('close', () => process.exit());
    });`,
  })}/program.cjs`;
  const { stdout, stderr } = await run(file);
  t.equal(stdout, 'true read ENOTCONN\n', stderr);
});

t.test('a connection that is over when it is attached', async (t) => {
  const { client, peer } = await pair(t);
  const detached = peer.detach();
  client.resetAndDestroy();
  await once(client, 'close');
  const socket = net.Socket.attach(detached);
  t.match((await once(socket, 'error'))[0], { code: /ENOTCONN|ECONNRESET/, syscall: 'read' });
  t.equal(socket.destroyed, true);
  await once(socket, 'close');
});

t.test('a descriptor that is closed behind its socket’s back', async (t) => {
  const file = `${t.testdir({
    'program.cjs': `
    const { once } = require('node:events');
    const { closeSync } = require('node:fs');
    const net = require('soref');
    process.removeAllListeners('warning').on('warning', () => {});
    (async () => {
      const server = net.createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const events = [];
      for (const doing of ['nothing', 'write', 'end', 'large write', 'destroy', 'names']) {
        const client = net.connect(server.address().port, '127.0.0.1');
        const [socket] = await once(server, 'connection');
        if (client.connecting) await once(client, 'connect');
        client.on('error', () => {}).resume();
        socket.on('error', () => events.push(doing + ' error'));
        const closed = new Promise((resolve) => socket.on('close', resolve));
        socket.resume();
        await new Promise(setImmediate);
        closeSync(socket._handle.fd);
        if (doing === 'write') socket.write('x');
        if (doing === 'end') socket.end('x');
        if (doing === 'large write') socket.write(Buffer.alloc(8 << 20));
        if (doing === 'destroy') socket.destroy();
        if (doing === 'names') { socket.address(); socket.setNoDelay(); socket.remotePort; }
        client.end('bye');
        setTimeout(() => socket.destroy(), 50);
        await closed;
        client.destroy();
      }
      server.close();
      await once(server, 'close');
      while (net.ledger().live > 0) await new Promise(setImmediate);
      console.log('survived');
    })();`,
  })}/program.cjs`;
  const { status, stdout, stderr } = await run(file);
  t.equal(stdout, 'survived\n', stderr);
  t.equal(status, 0);
});

t.test('sockets that nobody refers to any more', async (t) => {
  const file = `${t.testdir({
    'program.cjs': `
    const { once } = require('node:events');
    const net = require('soref');
    const collect = async () => {
      for (let i = 0; i < 5; i++) { global.gc(); await new Promise(setImmediate); }
    };
    (async () => {
      let collected = 0;
      const registry = new FinalizationRegistry(() => collected++);
      let heard = 0;
      const accepted = [];
      const server = net.createServer((socket) => accepted.push(socket)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address();
      // Never connected: they hold nothing.
      for (let i = 0; i < 100; i++) registry.register(new net.Socket(), 0);
      await collect();
      const unused = collected;
      // Connected, and reachable only by what happens on them: they must go on.
      const connected = [];
      for (let i = 0; i < 100; i++) {
        const socket = net.connect(port, '127.0.0.1').on('error', (error) => console.log(error));
        registry.register(socket, 0);
        connected.push(once(socket, 'connect'));
        socket.on('close', () => heard++).resume();
      }
      await Promise.all(connected.splice(0));
      await collect();
      const live = net.ledger().live;
      const early = collected - unused;
      for (const socket of accepted.splice(0)) socket.end().resume();
      while (heard < 100) await new Promise(setImmediate);
      for (let i = 0; i < 20 && collected < 200; i++) await collect();
      console.log(JSON.stringify({ unused: unused >= 99, live, early, rest: collected >= 195 }));
      server.close();
    })();`,
  })}/program.cjs`;
  const { status, stdout, stderr } = await run(file, { options: ['--expose-gc'] });
  const expected = { unused: true, live: 201, early: 0, rest: true };
  t.same(JSON.parse(stdout || '{}'), expected, stderr);
  t.equal(status, 0);
});

t.test('no descriptor is left', async (t) => {
  while (net.ledger().live > 0) await new Promise(setImmediate);
  const { attached, detached, descriptors } = net.ledger();
  t.equal(attached, detached);
  t.equal(descriptors, 0);
  t.ok(readdirSync('/proc/self/fd').length < 40);
});
