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
  // The number is free afterwards, or somebody else has it: a file, or a connection of soref's.
  const file = `${t.testdir({
    'program.cjs': `
    const { once } = require('node:events');
    const { closeSync, fstatSync, openSync } = require('node:fs');
    const net = require('soref');
    process.removeAllListeners('warning').on('warning', () => {});
    const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
    const ways = {
      nothing() {},
      write(socket) { socket.write('x'); },
      end(socket) { socket.end('x'); },
      'large write'(socket) { socket.write(Buffer.alloc(8 << 20)); },
      destroy(socket) { socket.destroy(); },
      reset(socket) { socket.resetAndDestroy(); },
      names(socket) { socket.address(); socket.setNoDelay(); socket.remotePort; },
      pause(socket) { socket.pause(); },
      detach(socket) { try { socket.detach(); } catch {} },
    };
    const isOpen = (descriptor) => { try { return Boolean(fstatSync(descriptor)); } catch { return false; } };
    async function misuse(server, way, next, turns) {
      const connect = () => net.connect(server.address().port, '127.0.0.1');
      const client = connect();
      const [socket] = await once(server, 'connection');
      if (client.connecting) await once(client, 'connect');
      client.on('error', () => {}).resume();
      const events = [];
      socket.on('error', ({ code }) => events.push(code));
      const closed = new Promise((resolve) => socket.on('close', () => resolve(events.push('close'))));
      socket.resume();
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      const number = socket._handle.fd;
      closeSync(number);
      let opened;
      let connection;
      if (next === 'file') opened = openSync('/dev/null', 'r');
      if (next === 'connection') {
        connection = connect();
        await once(connection, 'connect');
        opened = connection._handle.fd;
      }
      ways[way](socket);
      client.end('bye');
      setTimeout(() => socket.destroy(), 10);
      await closed;
      await later(1);
      const result = { way, next, turns, events, reused: opened === number, hit: opened && !isOpen(opened) };
      client.destroy();
      if (connection) await once(connection.destroy(), 'close');
      if (next === 'file' && !result.hit) closeSync(opened);
      return result;
    }
    (async () => {
      const server = net.createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const results = [];
      for (const way of Object.keys(ways)) {
        for (const next of ['free', 'file', 'connection']) {
          for (const turns of [1, 5]) results.push(await misuse(server, way, next, turns));
        }
      }
      server.close();
      await once(server, 'close');
      for (let turn = 0; turn < 100 && net.ledger().live > 0; turn++) await later(1);
      console.log(JSON.stringify({ results, ledger: net.ledger() }));
    })();`,
  })}/program.cjs`;
  const { status, stdout, stderr } = await run(file);
  t.equal(status, 0, stderr);
  const { results, ledger } = JSON.parse(stdout);
  t.equal(results.length, 54);
  for (const { way, next, turns, events, reused, hit } of results) {
    const name = `${way}, ${next}, after ${turns} turns`;
    t.equal(events.filter((event: string) => event === 'close').length, 1, name);
    t.notOk(
      events.some((event: string) => !['EBADF', 'close'].includes(event)),
      `${name}: ${events}`,
    );
    if (next === 'free') continue;
    // Only what is done with a descriptor can tell: not a receive in flight on io_uring, which has the
    // file and not its number, and not a socket that is destroyed before it does anything.
    const untold = turns > 1 ? net.engine === 'io_uring' : way === 'destroy';
    const unknown = next === 'file' && untold;
    if (!unknown) t.notOk(reused && hit, `${name}: somebody else’s descriptor stays open`);
  }
  t.ok(results.some(({ reused }: { reused: boolean }) => reused));
  // Whoever uses such a socket hears of it.
  for (const way of ['write', 'end', 'large write']) {
    const used = results.filter((result: { way: string }) => result.way === way);
    t.ok(
      used.every(({ events }: { events: string[] }) => events[0] === 'EBADF'),
      way,
    );
  }
  t.match(ledger, { live: 0, descriptors: 0, operations: { inFlight: 0 }, pinnedBuffers: 0 });
  t.equal(ledger.attached, ledger.detached);
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
