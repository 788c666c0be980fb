// What runs between two events of one turn, and in which context: each program prints on soref what
// it prints on node:net.
import t, { type Test } from 'tap';
import { type Ending, run, shortFolder } from './programs';

const START = `
const { once } = require('node:events');
const net = require(process.argv[2]);
const log = (...values) => console.log(values.join(' '));
/** A server's sockets and their clients, in the order of the connections. */
async function connections(count, options = {}) {
  const server = net.createServer(options).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clients = [];
  const sockets = [];
  for (let i = 0; i < count; i++) {
    const accepted = once(server, 'connection');
    clients.push(net.connect(server.address().port, '127.0.0.1'));
    sockets.push((await accepted)[0]);
    if (clients[i].connecting) await once(clients[i], 'connect');
  }
  return { server, clients, sockets };
}
function end({ server, clients, sockets }) {
  for (const socket of [...clients, ...sockets]) socket.destroy();
  server.close();
}
`;

const folder = shortFolder();

/** Standard error has stacks, which are others in soref. */
async function onBoth(t: Test, program: string): Promise<Ending> {
  const file = `${t.testdir({ 'program.cjs': START + program })}/program.cjs`;
  const node = await run(file, { args: ['node:net', folder] });
  const soref = await run(file, { args: ['soref', folder] });
  t.equal(soref.stdout, node.stdout, soref.stderr);
  t.equal(soref.status, node.status);
  return node;
}

// The order in which the sockets of one turn come is the kernel's affair: what arrives is numbered.
const BATCH = `
/** Sends to all sockets in one turn, so that what they receive comes in one batch. */
function sendToAll({ clients, sockets }, listener) {
  let arrived = 0;
  for (const socket of sockets) socket.on('data', () => listener(arrived++, socket));
  for (const client of clients) client.write('data');
}
`;

t.test('ticks and microtasks of an event run before the next event', async (t) => {
  const node = await onBoth(
    t,
    `${BATCH}
    (async () => {
      const all = await connections(5);
      let turn = 0;
      let timer = setImmediate(function next() { turn++; timer = setImmediate(next); });
      const turns = new Set();
      sendToAll(all, (index) => {
        turns.add(turn);
        log('event', index);
        process.nextTick(() => {
          log('tick', index);
          Promise.resolve().then(() => log('microtask of a tick', index));
        });
        queueMicrotask(() => {
          log('microtask', index);
          process.nextTick(() => log('tick of a microtask', index));
        });
        if (index === 4) setTimeout(() => {
          log('turns', turns.size);
          clearImmediate(timer);
          end(all);
        });
      });
    })();`,
  );
  const lines = node.stdout.trim().split('\n');
  const order = ['event', 'tick', 'microtask', 'microtask of a tick', 'tick of a microtask'];
  t.same(
    lines.slice(5, 10),
    order.map((what) => `${what} 1`),
  );
  t.equal(lines.length, 26);
  t.equal(lines.at(-1), 'turns 1', 'they came as a batch, or nothing was tested');
});

t.test('a socket destroyed by an earlier event of the turn gets no later one', async (t) => {
  const node = await onBoth(
    t,
    `${BATCH}
    (async () => {
      const all = await connections(4);
      const data = [];
      sendToAll(all, (index, socket) => {
        data.push(index);
        if (index > 0) return;
        const others = all.sockets.filter((other) => other !== socket).slice(0, 2);
        for (const other of others) other.destroy();
        Promise.all(others.map((other) => once(other, 'close'))).then(() => {
          log('destroyed', others.map((other) => other.bytesRead), 'data', data);
          end(all);
        });
      });
    })();`,
  );
  t.equal(node.stdout, 'destroyed 0,0 data 0,1\n');
});

t.test('an exception of one listener stops no other event', async (t) => {
  const node = await onBoth(
    t,
    `${BATCH}
    process.on('uncaughtException', (error, origin) => log(origin, error.message));
    (async () => {
      const all = await connections(6);
      sendToAll(all, (index) => {
        log('data', index);
        if (index === 5) setTimeout(() => all.clients[0].write('again'));
        if (index === 6) end(all);
        if (index === 2) process.nextTick(() => { throw new Error('of a tick'); });
        if (index === 3) queueMicrotask(() => { throw new Error('of a microtask'); });
        if ([1, 5, 6].includes(index)) throw new Error('of event ' + index);
      });
    })();`,
  );
  t.equal(node.stdout.match(/uncaughtException/g)?.length, 5);
  t.equal(node.stdout.match(/data/g)?.length, 7);
});

t.test('exceptions of other listeners and callbacks', async (t) => {
  const node = await onBoth(
    t,
    `// Which side hears first of a new connection is the kernel's affair.
    const thrown = [];
    process.on('uncaughtException', (error) => thrown.push(error.message));
    process.on('exit', () => log(thrown.sort().join()));
    const failing = (what) => () => { throw new Error(what); };
    const server = net.createServer((socket) => {
      socket.on('close', failing('close')).resume();
      throw new Error('connection');
    });
    server.listen(0, '127.0.0.1');
    server.on('listening', () => {
      const client = net.connect(server.address().port, '127.0.0.1');
      client.on('connect', () => {
        setTimeout(() => client.write('x', () => {
          setTimeout(() => client.destroy());
          throw new Error('write');
        }), 20);
        throw new Error('connect');
      });
      client.on('close', () => setTimeout(() => server.close(failing('server close')), 20)).resume();
      throw new Error('listening');
    });`,
  );
  t.equal(node.stdout, 'close,connect,connection,listening,server close,write\n');
});

t.test('an exception that nobody catches ends the process', async (t) => {
  const node = await onBoth(
    t,
    `process.on('exit', (code) => log('exit', code));
    (async () => {
      const { sockets, clients } = await connections(2);
      process.on('uncaughtExceptionMonitor', (error) => log('monitor', error.message));
      sockets[0].on('data', () => { log('data'); throw new Error('fatal'); });
      clients[0].write('x');
    })();`,
  );
  t.equal(node.stdout, 'data\nmonitor fatal\nexit 1\n');
  t.equal(node.status, 1);
});

t.test('captureRejections', async (t) => {
  const node = await onBoth(
    t,
    `require('node:events').captureRejections = true;
    (async () => {
      const listener = async (socket) => {
        socket.on('error', (error) => log('socket error', error.message));
        socket.on('close', (bad) => log('socket close', bad));
        throw new Error('of the connection listener');
      };
      const server = net.createServer(listener).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const rejected = net.connect(server.address().port, '127.0.0.1');
      rejected.resume();
      await once(rejected, 'close');
      const client = new net.Socket();
      server.removeAllListeners('connection').on('connection', (socket) => {
        socket.on('error', () => undefined).resume().write('data');
      });
      client.on('data', async () => { throw new Error('of a data listener'); });
      client.on('error', (error) => log('client error', error.message));
      client.connect(server.address().port, '127.0.0.1');
      await new Promise((resolve) => client.on('close', (bad) => { log('client close', bad); resolve(); }));
      server.close(() => log('server closed'));
    })();`,
  );
  t.match(node.stdout, /socket error of the connection listener\nsocket close true/);
  t.match(node.stdout, /client error of a data listener\nclient close true/);
});

t.test('every callback runs in its own asynchronous context', async (t) => {
  const node = await onBoth(
    t,
    `const { AsyncLocalStorage } = require('node:async_hooks');
    const storage = new AsyncLocalStorage();
    const contexts = new Map();
    const note = (what) => () => {
      const all = contexts.get(what) ?? [];
      contexts.set(what, all);
      all.push(storage.getStore() ?? 'none');
    };
    const path = require('node:path').join(process.argv[3], net === require('node:net') ? 'node' : 'soref');
    async function session(where, listenOptions) {
      const server = storage.run('create', () => net.createServer());
      storage.run('listen', () => server.listen(listenOptions, note(where + ' listen callback')));
      for (const event of ['listening', 'connection', 'close']) server.on(event, note(where + ' server ' + event));
      let socket;
      server.on('connection', (accepted) => {
        socket = accepted;
        for (const event of ['data', 'end', 'finish', 'drain', 'close', 'readable']) {
          if (event !== 'readable') socket.on(event, note(where + ' socket ' + event));
        }
        storage.run('write of the server', () => socket.write('hello', note(where + ' socket write')));
      });
      await once(server, 'listening');
      const target = listenOptions.path ? { path } : { port: server.address().port, host: '127.0.0.1' };
      const client = storage.run('construct', () => new net.Socket());
      storage.run('connect', () => client.connect(target, note(where + ' connect callback')));
      for (const event of ['connect', 'data', 'end', 'finish', 'close']) {
        storage.run('on', () => client.on(event, note(where + ' client ' + event)));
      }
      storage.run('timeout', () => client.setTimeout(60_000, note(where + ' client timeout')));
      await once(client, 'data');
      storage.run('write', () => client.write('x', note(where + ' client write')));
      await once(socket, 'data');
      await storage.run('large write', () => new Promise((resolve) => {
        const callback = note(where + ' client large write');
        client.write(Buffer.alloc(8 << 20), () => { callback(); resolve(); });
      }));
      storage.run('end', () => client.end(note(where + ' client end callback')));
      await Promise.all([once(client, 'close'), once(socket, 'close')]);
      storage.run('close', () => server.close(note(where + ' close callback')));
      await once(server, 'close');
      const refused = storage.run('refused', () => net.connect(target));
      refused.on('close', note(where + ' refused close')).on('error', note(where + ' refused error'));
      await new Promise((resolve) => refused.on('close', resolve));
      const destroyed = storage.run('destroyed', () => net.connect(target));
      destroyed.on('close', note(where + ' destroyed close'));
      storage.run('destroy', () => destroyed.destroy());
      await once(destroyed, 'close');
    }
    (async () => {
      await session('tcp', { port: 0, host: '127.0.0.1' });
      await session('pipe', { path });
      for (const [what, all] of [...contexts].sort()) log(what + ':', [...new Set(all)].sort());
    })();`,
  );
  t.ok(node.stdout.split('\n').length > 40, 'a line for each kind of callback');
  t.match(node.stdout, /tcp server connection: listen/);
  t.match(node.stdout, /tcp socket data: none/, 'an accepted socket has a context of its own');
  t.match(node.stdout, /tcp client large write: large write/);
});

t.test('async hooks see resources of Node’s types', async (t) => {
  const node = await onBoth(
    t,
    `const { createHook } = require('node:async_hooks');
    const counts = {};
    const live = new Map();
    createHook({
      init(id, type) { if (/^TCP/.test(type)) { counts[type] = (counts[type] ?? 0) + 1; live.set(id, type); } },
      destroy(id) { live.delete(id); },
    }).enable();
    (async () => {
      const all = await connections(3);
      end(all);
      await once(all.server, 'close');
      await new Promise((resolve) => setTimeout(resolve, 20));
      log(JSON.stringify(counts), JSON.stringify([...live.values()]));
    })();`,
  );
  t.equal(node.stdout, '{"TCPSERVERWRAP":1,"TCPWRAP":6,"TCPCONNECTWRAP":3} []\n');
});

t.test(
  'peers see what the program does in one turn to several sockets in the same order',
  async (t) => {
    const node = await onBoth(
      t,
      `
    (async () => {
      for (const first of ['destroy', 'write']) {
        const all = await connections(4);
        const seen = [];
        const ended = all.sockets.map((socket, index) => new Promise((resolve) => {
          socket.on('data', (data) => seen.push(index + ' data'));
          socket.on('end', () => { seen.push(index + ' end'); resolve(); });
        }));
        // All of them read, so that destroying one ends an operation that is under way.
        for (const client of all.clients) client.resume();
        await new Promise((resolve) => setTimeout(resolve, 50));
        const [a, b, c, d] = all.clients;
        if (first === 'destroy') {
          a.destroy();
          b.write('x');
          c.destroy();
          d.write('y');
        } else {
          a.write('x');
          b.destroy();
          c.write('y');
          d.destroy();
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
        log(first, seen.join());
        end(all);
      }
    })();`,
    );
    t.match(node.stdout, 'destroy 0 end,1 data,2 end,3 data');
    t.match(node.stdout, 'write 0 data,1 end,2 data,3 end');
  },
);
