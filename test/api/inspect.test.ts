// What soref tells of its sockets: the ledger, the rows of sockstat, and one socket whole.
import { once } from 'node:events';
import * as nodeNet from 'node:net';
import * as net from 'soref';
import t, { type Test } from 'tap';

/** A server with one connection. */
async function connected(t: Test) {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const client = net.connect(port, '127.0.0.1');
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
  // In a turn of its own: the events of this one still hold their sockets, which begin to receive at its end.
  for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate);
  t.teardown(async () => {
    client.destroy();
    accepted.destroy();
    server.close();
    await once(server, 'close');
    while (net.ledger().live > 0) await new Promise(setImmediate);
  });
  return { server, client, accepted: accepted as net.Socket, port };
}

const sum = (counts: object) => Object.values(counts).reduce((total, count) => total + count, 0);

/** What is true of every ledger at any time. */
function checkLedger(t: Test): net.Ledger {
  const ledger = net.ledger();
  t.equal(ledger.attached + ledger.attachFailed, ledger.attachAttempted);
  t.equal(ledger.attached - ledger.detached, ledger.live);
  t.equal(sum(ledger.lives), ledger.live);
  t.equal(sum(ledger.connections), ledger.live);
  t.equal(ledger.operations.submitted - ledger.operations.completed, ledger.operations.inFlight);
  t.equal(ledger.operations.inFlight, ledger.references.operation);
  t.equal(ledger.events.queued - ledger.events.delivered, ledger.events.waiting);
  return ledger;
}

t.test('the ledger counts what lives by its states', async (t) => {
  const { server, client, accepted } = await connected(t);
  t.match(checkLedger(t), {
    lives: { open: 3, closing: 0, queued: 0 },
    connections: { listening: 1, connected: 2, idle: 0 },
    references: { consumer: 3, queue: 0, protocol: 0, operation: 3 },
    descriptors: 3,
  });
  const seen = new Promise<net.Ledger>((resolve) => {
    accepted.once('data', () => resolve(checkLedger(t)));
  });
  client.write('x');
  t.match(await seen, { references: { event: 1 }, events: { waiting: 1 } });
  t.throws(() => net.Socket.attach((server as never as { _handle: { fd: number } })._handle.fd));
  const before = net.ledger().attachFailed;
  t.throws(() => net.Socket.attach(1 << 20));
  t.equal(
    checkLedger(t).attachFailed,
    before,
    'what is refused before it is attached is no attempt',
  );
  client.destroy();
  await once(accepted, 'close');
  t.match(checkLedger(t), { lives: { open: 1 }, connections: { connected: 0, listening: 1 } });
});

t.test('a server and a connection, whole', async (t) => {
  const { server, client, accepted, port } = await connected(t);
  const listening = net.inspect(server);
  t.match(listening, {
    protocol: 'tcp4',
    local: `127.0.0.1:${port}`,
    remote: '',
    life: 'open',
    state: 'listening',
    operations: ['accept in flight'],
    references: { consumer: 1, queue: 0, protocol: 0, operation: 1, event: 0 },
    acceptQueue: 0,
    madeAt: undefined,
  });
  const { fd } = (accepted as never as { _handle: { fd: number } })._handle;
  const inspected = net.inspect(accepted);
  t.match(inspected, {
    protocol: 'tcp4',
    local: `127.0.0.1:${port}`,
    remote: `127.0.0.1:${client.localPort}`,
    life: 'open',
    state: 'connected',
    fd,
    operations: ['receive in flight'],
    sendQueue: 0,
    receiveQueue: 0,
  });
  t.type(inspected?.generation, 'number');
  // All that a row of sockstat has, and nothing else of the same name.
  const row = net.sockstat().find(({ slot }) => slot === inspected?.slot);
  t.same({ ...inspected, ...row, age: 0 }, { ...inspected, age: 0 });
  // Only builds with expensive checks keep the changes: a release build says that there are none.
  const changes = inspected?.changes ?? [];
  if (changes.length > 0) {
    t.ok(changes.length <= 16);
    t.match(changes[0], {
      reference: 'queue',
      change: 'taken',
      cause: 'queued',
      held: 1,
      count: 1,
    });
    t.match(changes.at(-1), { reference: 'operation', change: 'taken', cause: 'receive' });
  }
});

t.test('queues', async (t) => {
  const { client, accepted } = await connected(t);
  // The stream takes some of it, and then stops reading.
  accepted.pause();
  client.write(Buffer.alloc(1 << 20));
  while (net.inspect(accepted)?.operations.length !== 0) await new Promise(setImmediate);
  const paused = net.inspect(accepted);
  t.equal(paused?.references.operation, 0);
  t.ok(paused && paused.receiveQueue > 0 && paused.receiveQueue < 1 << 20);
  accepted.write(Buffer.alloc(32 << 20));
  client.pause();
  await new Promise(setImmediate);
  const sending = net.inspect(accepted);
  t.ok(sending && sending.sendQueue > 0 && sending.sendQueue <= 32 << 20);
  t.same(sending?.operations, ['send in flight']);
  t.equal(net.ledger().pinnedBuffers, 1);
});

t.test('what soref does not carry is null', async (t) => {
  const { server, client, accepted } = await connected(t);
  const unconnected = new net.Socket();
  t.equal(net.inspect(unconnected), null);
  unconnected.destroy();
  t.equal(net.inspect(net.createServer()), null);
  const { fd } = accepted.detach();
  t.equal(net.inspect(accepted), null, 'detached');
  const again = net.Socket.attach(fd);
  t.equal(net.inspect(again)?.state, 'connected');
  again.destroy();
  t.equal(net.inspect(again), null, 'destroyed');
  t.match(
    net.sockstat().filter(({ life }) => life === 'closing'),
    [],
  );
  await once(again, 'close');
  client.destroy();
  server.close();
  t.equal(net.inspect(server), null, 'closed');
  const nodes = nodeNet.createServer().listen(0);
  t.equal(net.inspect(nodes), null, 'Node’s own');
  nodes.close();
  await once(nodes, 'close');
});

t.test('a socket that connects, and a path', async (t) => {
  const path = `\0soref-inspect-${process.pid}`;
  const server = net.createServer().listen(path);
  await once(server, 'listening');
  t.match(net.inspect(server), { protocol: 'unix', local: path, state: 'listening' });
  server.close();
  await once(server, 'close');
  // Nobody answers there: the address is for documentation (RFC 5737), or there is no way to it.
  const socket = net.connect(9, '192.0.2.1').on('error', () => undefined);
  await new Promise(process.nextTick);
  const connecting = net.inspect(socket);
  if (connecting) t.match(connecting, { state: 'connecting', operations: ['connect in flight'] });
  else t.ok(socket.destroyed, 'no way to it');
  socket.destroy();
  await once(socket, 'close');
});
