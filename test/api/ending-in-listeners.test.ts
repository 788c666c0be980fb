// A program that ends a socket or a server in a listener, whichever it is: destroys, resets, gives away,
// closes. There is one 'close', nothing follows it, and nothing is left.
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import * as net from 'soref';
import t, { type Test } from 'tap';

// Many connections, on a machine that may be busy.
t.setTimeout(100_000);

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Until nothing is left of what has ended; how much is left if that never comes. */
async function rest(): Promise<object> {
  for (let turns = 0; turns < 200 && net.ledger().live > 0; turns++) await later(1);
  const { live, descriptors, references, operations, pinnedBuffers } = net.ledger();
  const held = Object.values(references).reduce((total, count) => total + count, 0);
  return { live, descriptors, held, inFlight: operations.inFlight, pinnedBuffers };
}
const nothing = { live: 0, descriptors: 0, held: 0, inFlight: 0, pinnedBuffers: 0 };

async function listen(serve: (socket: net.Socket) => void = () => undefined) {
  const server = net.createServer(serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as net.AddressInfo).port };
}

/** How a server treats a connection so that the client's socket emits what is wanted. */
const serving = {
  waits: (socket: net.Socket) => socket.resume(),
  speaks: (socket: net.Socket) => socket.resume().write('something to read'),
  ends: (socket: net.Socket) => socket.resume().end(),
  resets: (socket: net.Socket) => socket.resetAndDestroy(),
};

type Provocation = [keyof typeof serving, (socket: net.Socket) => void];

/** Every event that a socket emits by itself or by what a program does, and how it comes to that. */
const provocations: Record<string, Provocation> = {
  lookup: ['waits', () => undefined],
  connectionAttempt: ['waits', () => undefined],
  connectionAttemptFailed: ['waits', () => undefined],
  connect: ['waits', () => undefined],
  ready: ['waits', () => undefined],
  data: ['speaks', () => undefined],
  readable: ['speaks', () => undefined],
  end: ['ends', (socket) => socket.resume()],
  drain: ['waits', (socket) => socket.write(Buffer.alloc(4 << 20))],
  prefinish: ['waits', (socket) => socket.end('the last')],
  finish: ['waits', (socket) => socket.end('the last')],
  timeout: ['waits', (socket) => socket.setTimeout(1)],
  pause: ['speaks', (socket) => socket.resume().pause()],
  resume: ['speaks', (socket) => socket.resume()],
  pipe: ['waits', (socket) => new PassThrough().pipe(socket)],
  unpipe: [
    'waits',
    (socket) => {
      const source = new PassThrough();
      source.pipe(socket);
      source.unpipe(socket);
    },
  ],
  error: ['resets', (socket) => socket.resume()],
  detach: ['waits', (socket) => closeDetached(socket)],
  close: ['ends', (socket) => socket.resume()],
};

/** Gives the connection away to a socket that ends it; nothing if there is none to give. */
function closeDetached(socket: net.Socket): void {
  if (socket.attached && !socket.connecting) {
    net.Socket.attach(socket.detach())
      .on('error', () => undefined)
      .destroy();
  } else {
    t.throws(() => socket.detach(), { code: 'ERR_SOREF_DETACHED' });
    socket.destroy();
  }
}

const endings: Record<string, (socket: net.Socket) => void> = {
  destroy: (socket) => socket.destroy().destroy(),
  'destroy with an error': (socket) => socket.destroy(new Error('enough')).destroy(new Error()),
  reset: (socket) => {
    socket.resetAndDestroy();
    socket.destroy();
  },
  'end and destroy': (socket) => socket.end('x').destroy(),
  destroySoon: (socket) => socket.destroySoon(),
  detach: closeDetached,
};

/** A port of which one learns at once that nobody listens there, first, and the server's then. */
const addresses = [
  { address: '127.0.0.9', family: 4 },
  { address: '127.0.0.1', family: 4 },
];

for (const [ending, end] of Object.entries(endings)) {
  t.test(`${ending} in every event of a socket`, async (t) => {
    for (const [event, [treatment, provoke]] of Object.entries(provocations)) {
      const { server, port } = await listen((socket) => {
        socket.on('error', () => undefined);
        serving[treatment](socket);
      });
      const socket = net.connect({
        host: 'both.example',
        port,
        autoSelectFamily: true,
        lookup: (_host: string, _options: object, done: (...found: unknown[]) => void) =>
          process.nextTick(done, null, addresses),
      } as never);
      const seen: string[] = [];
      let ended = false;
      socket.on('error', ({ message }) => seen.push(message));
      socket.on('close', () => seen.push('close'));
      for (const late of ['data', 'end', 'drain', 'timeout', 'connect', 'ready']) {
        if (late !== event) socket.on(late, () => seen.includes('close') && seen.push(late));
      }
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on(event, () => {
        ended = true;
        end(socket);
      });
      socket.once('connect', () => provoke(socket));
      await closed;
      await later(1);
      t.ok(ended, `${event} came`);
      t.same(
        seen.filter((name) => name === 'close'),
        ['close'],
        event,
      );
      t.equal(seen.at(-1), 'close', `nothing follows ${event}: ${seen}`);
      t.ok(seen.length <= 2, `one error at most in ${event}: ${seen}`);
      server.close();
      await once(server, 'close');
      t.same(await rest(), nothing, event);
    }
  });

  t.test(`${ending} in the events of an accepted socket`, async (t) => {
    for (const event of ['connection', 'attach', 'data', 'readable', 'end', 'timeout', 'close']) {
      let closes = 0;
      const { server, port } = await listen();
      const seen = new Promise<void>((resolve) => {
        server.on('attach', (socket) => {
          socket.on('error', () => undefined);
          socket.on('close', () => {
            closes += 1;
            resolve();
          });
          if (event === 'attach') end(socket);
        });
        server.on('connection', (socket) => {
          if (event === 'connection') end(socket);
          else if (event === 'timeout') socket.setTimeout(1, () => end(socket));
          else socket.on(event as 'data', () => end(socket));
          if (event === 'end' || event === 'close') socket.resume();
        });
      });
      const client = net
        .connect(port, '127.0.0.1')
        .on('error', () => undefined)
        .resume();
      if (event === 'end' || event === 'close') client.end('x');
      else client.write('x');
      await seen;
      client.destroy();
      server.close();
      await once(server, 'close');
      t.equal(closes, 1, event);
      t.same(await rest(), nothing, event);
    }
  });
}

t.test('close in every event of a server', async (t) => {
  const events = ['listening', 'connection', 'attach', 'detach', 'drop', 'error', 'close'];
  for (const event of events) {
    const taken = await listen();
    const server = net.createServer((socket) => socket.on('error', () => undefined).resume());
    let closes = 0;
    let came = 0;
    server.on('close', () => {
      closes += 1;
    });
    if (event === 'drop') server.maxConnections = 1;
    const answers: (string | undefined)[] = [];
    const closed = new Promise<void>((resolve) => {
      // Once, since a server that is closed again emits 'close' again, as that of node:net does.
      server.once(event as 'listening', () => {
        came += 1;
        server.close((error) => {
          answers.push((error as NodeJS.ErrnoException | undefined)?.code);
          resolve();
        });
      });
    });
    server.listen(event === 'error' ? taken.port : 0, '127.0.0.1');
    const clients: net.Socket[] = [];
    if (event !== 'error' && event !== 'listening') {
      await once(server, 'listening');
      const { port } = server.address() as net.AddressInfo;
      for (let index = 0; index < 2; index++) {
        clients.push(
          net
            .connect(port, '127.0.0.1')
            .on('error', () => undefined)
            .resume(),
        );
      }
      if (event === 'detach' || event === 'close') {
        await once(server, 'connection');
        for (const client of clients) client.destroy();
      }
      if (event === 'close') server.close();
    }
    // Those that were accepted end when their clients do.
    while (came === 0) await later(1);
    for (const client of clients) client.destroy();
    await closed;
    await later(2);
    t.equal(closes, event === 'close' ? 2 : 1, event);
    t.ok(answers.length >= 1, event);
    t.equal(server.listening, false, event);
    taken.server.close();
    await once(taken.server, 'close');
    t.same(await rest(), nothing, event);
  }
});

/** Connections of one storm, and when in it the listener goes. */
const STORM = 1000;
const moments: Record<string, (server: net.Server, count: number) => void> = {
  'at the first connection': (server, count) => void (count === 1 && server.close()),
  'in the middle': (server, count) => void (count === STORM / 4 && server.close()),
  'in a tick': (server, count) => {
    if (count === 10) process.nextTick(() => server.close());
  },
  'in the next turn': (server, count) => {
    if (count === 10) setImmediate(() => server.close());
  },
  'and listens again': (server, count) => {
    if (count !== 50) return;
    const { port } = server.address() as net.AddressInfo;
    server.close();
    server.listen(port, '127.0.0.1', 2 * STORM, () => setImmediate(() => server.close()));
  },
};

for (const [moment, close] of Object.entries(moments)) {
  t.test(`a listener is closed during a storm, ${moment}`, async (t: Test) => {
    let accepted = 0;
    const closes = { server: 0, accepted: 0, clients: new Array<number>(STORM).fill(0) };
    const server = net.createServer((socket) => {
      accepted += 1;
      socket.on('error', () => undefined);
      socket.on('close', () => {
        closes.accepted += 1;
      });
      if (accepted % 3 === 0) socket.destroy();
      else socket.end('you were accepted').resume();
      close(server, accepted);
    });
    server.on('close', () => {
      closes.server += 1;
    });
    server.listen(0, '127.0.0.1', 2 * STORM);
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const gone: Promise<unknown>[] = [];
    for (let index = 0; index < STORM; index++) {
      const client = net
        .connect(port, '127.0.0.1')
        .on('error', () => undefined)
        .resume();
      client.on('close', () => {
        closes.clients[index] = (closes.clients[index] ?? 0) + 1;
      });
      gone.push(new Promise((resolve) => client.once('close', resolve)));
    }
    await Promise.all(gone);
    if (server.listening) server.close();
    for (let tries = 0; tries < 500 && closes.server === 0; tries++) await later(2);
    t.ok(closes.server >= 1, 'the server is closed');
    t.ok(accepted > 0, `${accepted} were accepted`);
    t.equal(closes.accepted, accepted, 'each of them closed once');
    t.ok(
      closes.clients.every((count) => count === 1),
      'and so did each client',
    );
    t.same(await rest(), nothing);
  });
}
