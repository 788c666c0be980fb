// What runs between two events of one turn: each program prints on soref what it prints on node:net.
import t from 'tap';
import { onBothNets } from './both-nets';

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
  const node = await onBothNets(
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
  const node = await onBothNets(
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
  const node = await onBothNets(
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
  const node = await onBothNets(
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
  const node = await onBothNets(
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
  const node = await onBothNets(
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

t.test(
  'peers see what the program does in one turn to several sockets in the same order',
  async (t) => {
    const node = await onBothNets(
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

t.test(
  'a connection that ends with its last bytes ends after what has arrived on others',
  async (t) => {
    // A relay whose both sides say goodbye at once can so pass the last word of each on to the other.
    const node = await onBothNets(
      t,
      `
    (async () => {
      const { server, clients, sockets } = await connections(2);
      const [one, other] = sockets;
      one.on('end', () => log('one has ended'));
      for (const socket of sockets) socket.on('error', ({ message }) => log(message));
      one.pipe(other).pipe(one);
      const closed = Promise.all(sockets.map((socket) => once(socket, 'close')));
      const heard = clients.map(async (client) => {
        let text = '';
        for await (const chunk of client) text += chunk;
        return text;
      });
      clients[0].end('a last word');
      clients[1].end('another');
      log((await Promise.all(heard)).join(', '));
      await closed;
      server.close();
    })();`,
    );
    t.equal(node.stdout, 'one has ended\nanother, a last word\n');
  },
);
