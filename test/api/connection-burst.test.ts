// Thousands of connections come and go in bursts, and one in ten misbehaves. Every socket closes once,
// every write is answered once, and nothing is left.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import * as net from 'soref';
import t from 'tap';
import { isCollecting } from './programs';

const CONNECTIONS = isCollecting ? 1000 : 20_000;
const BURST = 500;
/** Room for a whole burst, since who finds none tries again only a second later. */
const BACKLOG = 2 * BURST;

/** Counts how often each of many things happened that have to happen once. */
class Once {
  private readonly counts: number[] = [];
  private left = 0;
  private idle: (() => void) | undefined;

  expect(): () => void {
    const index = this.counts.push(0) - 1;
    this.left += 1;
    return () => {
      this.counts[index] = (this.counts[index] ?? 0) + 1;
      if (this.counts[index] === 1 && --this.left === 0) this.idle?.();
    };
  }

  /** Until everything expected so far has happened at least once. */
  async all(): Promise<void> {
    if (this.left > 0) await new Promise<void>((resolve) => (this.idle = resolve));
  }

  get total(): number {
    return this.counts.length;
  }

  get wrong(): number {
    return this.counts.filter((count) => count !== 1).length;
  }
}

const closes = new Once();
const writes = new Once();
const large = Buffer.alloc(1 << 20, 'x');

/** The first byte that a client sends says how the server is to treat it. */
const ECHO = 'e';
const FLOOD = 'f';
const DROP = 'd';

function watch(socket: net.Socket): net.Socket {
  socket.on('close', closes.expect());
  // A reset is an error of the stream or none, depending on what it was doing.
  socket.on('error', () => undefined);
  return socket;
}

function write(socket: net.Socket, data: string | Buffer): void {
  socket.write(data, writes.expect());
}

function serve(socket: net.Socket): void {
  watch(socket);
  socket.once('data', (data) => {
    switch (String.fromCharCode(data[0] ?? 0)) {
      case ECHO:
        write(socket, 'answer');
        socket.end();
        break;
      case FLOOD:
        for (let index = 0; index < 4; index++) write(socket, large);
        break;
      case DROP:
        // More is on its way, and nobody will read it.
        socket.destroy();
        break;
    }
  });
}

type Client = (port: number, stalled: net.Socket[]) => void;

const connect = (port: number, options: object = {}): net.Socket =>
  watch(net.connect({ port, host: '127.0.0.1', ...options }));

const behave: Client = (port) => {
  const client = connect(port).resume();
  write(client, ECHO);
};

const misbehave: Client[] = [
  // Reset as soon as it stands.
  (port) => {
    const client = connect(port);
    client.on('connect', () => client.resetAndDestroy());
  },
  // Reset in the middle of what the server writes.
  (port) => {
    const client = connect(port);
    write(client, FLOOD);
    client.once('data', () => client.resetAndDestroy());
  },
  // Half-close, and then nothing.
  (port, stalled) => {
    const client = connect(port, { allowHalfOpen: true });
    client.end(ECHO, writes.expect());
    stalled.push(client.pause());
  },
  // The server closes with unread data, and writes here fail.
  (port) => {
    const client = connect(port).resume();
    write(client, DROP);
    write(client, large);
  },
  // Gone before it stands: in the same turn, in its first tick, in the next turn.
  (port) => {
    connect(port).destroy();
    const second = connect(port);
    write(second, ECHO);
    process.nextTick(() => second.destroy());
    const third = connect(port);
    write(third, ECHO);
    setImmediate(() => third.destroy());
  },
];

t.test(`${CONNECTIONS} connections`, async (t) => {
  const server = net.createServer(serve).listen(0, '127.0.0.1', BACKLOG);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  let clients = 0;
  while (clients < CONNECTIONS) {
    const stalled: net.Socket[] = [];
    for (let index = 0; index < BURST; index++, clients++) {
      const bad = index % 10 === 9 ? misbehave[((index - 9) / 10) % misbehave.length] : undefined;
      (bad ?? behave)(port, stalled);
    }
    // The stalled ones wait until the others are through.
    const ends = stalled.map((client) => once(client, 'end'));
    for (const client of stalled) client.resume();
    await Promise.all(ends);
    for (const client of stalled) client.destroy();
    await closes.all();
  }
  server.close();
  await once(server, 'close');
  await closes.all();
  await writes.all();
  t.ok(closes.total > 2 * CONNECTIONS * 0.95, `${closes.total} sockets`);
  t.equal(closes.wrong, 0, 'every socket closed once');
  t.ok(writes.total > CONNECTIONS, `${writes.total} writes`);
  t.equal(writes.wrong, 0, 'every write was answered once');
});

t.test('connections that were reset before they are accepted', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1', BACKLOG);
  await once(server, 'listening');
  const errors: (string | undefined)[] = [];
  const seen = new Once();
  server.on('connection', (socket) => {
    seen.expect()();
    socket.on('close', closes.expect());
    socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code));
    socket.resume();
  });
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const port = (server.address() as net.AddressInfo).port;
  const worker = new Worker(
    `const { connect } = require('node:net');
    const { workerData: { shared, port, count } } = require('node:worker_threads');
    let standing = 0;
    let gone = 0;
    const clients = Array.from({ length: count }, () => connect(port, '127.0.0.1', () => {
      if (++standing === count) for (const client of clients) client.resetAndDestroy();
    }).on('close', () => {
      if (++gone < count) return;
      Atomics.store(shared, 0, 1);
      Atomics.notify(shared, 0);
    }));`,
    { eval: true, workerData: { shared, port, count: 200 } },
  );
  const ended = once(worker, 'exit');
  await once(worker, 'online');
  // This thread accepts nothing until all are reset.
  t.equal(Atomics.wait(shared, 0, 0, 10_000) === 'timed-out', false);
  await ended;
  while (seen.total < 200) await once(server, 'connection');
  await closes.all();
  t.equal(seen.total, 200);
  t.equal(errors.filter((code) => code === 'ECONNRESET').length, 200);
  t.equal(closes.wrong, 0);
  server.close();
  await once(server, 'close');
});

t.test('and the ledger says so', async (t) => {
  while (net.ledger().live > 0) await new Promise(setImmediate);
  const { attached, detached, references, descriptors, pinnedBuffers, badCommands, operations } =
    net.ledger();
  t.equal(attached, detached);
  t.same(references, { consumer: 0, queue: 0, protocol: 0, operation: 0, event: 0 });
  t.equal(operations.submitted, operations.completed);
  t.same([descriptors, pinnedBuffers, badCommands], [0, 0, 0]);
  t.same(net.sockstat(), []);
});
