// Every worker has a core of its own, which ends with it: whatever its sockets were doing, no
// descriptor stays open, and the others' ledgers do not notice.
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import * as net from 'soref';
import t, { type Test } from 'tap';

const START = `
const { once } = require('node:events');
const { parentPort } = require('node:worker_threads');
const net = require('soref');
const listen = async (serve) => {
  const server = net.createServer(serve).listen(0, '127.0.0.1', 2048);
  await once(server, 'listening');
  return { server, port: server.address().port };
};
`;

/** A worker whose program says something when it is ready. */
function start(t: Test, program: string): Worker {
  const folder = t.testdir({ 'program.cjs': START + program });
  return new Worker(`${folder}/program.cjs`);
}

const descriptors = () => readdirSync('/proc/self/fd').length;

/** Closing a worker's own loop may still be under way when it has exited. */
async function descriptorsReturnTo(expected: number): Promise<number> {
  for (let attempts = 0; descriptors() > expected && attempts < 200; attempts++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return descriptors();
}

const balanced = { consumer: 0, queue: 0, protocol: 0, operation: 0, event: 0 };

/** What the first worker of a process opens for good is no affair of the tests. */
t.before(async () => {
  await once(new Worker(`require('soref')`, { eval: true }), 'exit');
});

t.test('servers and clients in several workers at once', async (t) => {
  const before = descriptors();
  const workers = Array.from({ length: 4 }, () =>
    start(
      t,
      `(async () => {
        const { server, port } = await listen((socket) => socket.pipe(socket));
        parentPort.postMessage(port);
        const [ports] = await once(parentPort, 'message');
        const echo = (port) => new Promise((resolve, reject) => {
          let text = '';
          net.connect(port, '127.0.0.1').on('error', reject).setEncoding('latin1')
            .on('data', (data) => { text += data; }).on('close', () => resolve(text))
            .end('x'.repeat(100_000));
        });
        const all = [];
        for (const port of ports) for (let i = 0; i < 25; i++) all.push(echo(port));
        const texts = await Promise.all(all);
        parentPort.postMessage(texts.filter((text) => text === 'x'.repeat(100_000)).length);
        await once(parentPort, 'message');
        server.close();
        await once(server, 'close');
        while (net.ledger().live > 0) await new Promise(setImmediate);
        const { attached, detached, references } = net.ledger();
        parentPort.postMessage({ attached, detached, references });
        parentPort.close();
      })();`,
    ),
  );
  const say = () => Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
  const ports = await say();
  const echoed = say();
  for (const worker of workers) worker.postMessage(ports);
  t.same(await echoed, [100, 100, 100, 100]);
  const ledgers = say();
  const ends = workers.map((worker) => once(worker, 'exit'));
  for (const worker of workers) worker.postMessage('end');
  const expected = { attached: 201, detached: 201, references: balanced };
  t.same(await ledgers, [expected, expected, expected, expected]);
  t.same(await Promise.all(ends), [[0], [0], [0], [0]]);
  t.equal(net.ledger().attached, 0, 'this thread’s ledger counts only its own');
  t.equal(await descriptorsReturnTo(before), before);
});

t.test('workers terminated in mid-traffic with 1,000 sockets', async (t) => {
  const before = descriptors();
  const own = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(own, 'listening');
  const port = (own.address() as net.AddressInfo).port;
  for (let round = 0; round < 20; round++) {
    const worker = start(
      t,
      `(async () => {
        const chunk = Buffer.alloc(20_000);
        let standing = 0;
        const stands = () => {
          if (++standing === 1000) setImmediate(() => parentPort.postMessage(net.ledger().live));
        };
        // Both sides send for ever, small pieces and pinned ones; and some never read what comes.
        const talk = (socket, index) => {
          stands();
          socket.on('error', () => {});
          if (index % 50 === 0) socket.write(Buffer.alloc(8 << 20));
          else socket.on('data', () => { socket.write('x'); socket.write(chunk); });
          socket.write(chunk);
        };
        let accepted = 0;
        const { port } = await listen((socket) => talk(socket, accepted++));
        for (let i = 0; i < 500; i++) net.connect(port, '127.0.0.1', function () { talk(this, i); });
      })();`,
    );
    const [live] = await once(worker, 'message');
    if (live < 1000) t.fail(`only ${live} sockets`);
    await worker.terminate();
  }
  // Nobody else has noticed.
  const client = net.connect(port, '127.0.0.1');
  client.write('still here');
  t.equal(String((await once(client, 'data'))[0]), 'still here');
  client.destroy();
  own.close();
  await once(own, 'close');
  while (net.ledger().live > 0) await new Promise(setImmediate);
  const { attached, detached, references } = net.ledger();
  t.same({ attached, detached, references }, { attached: 3, detached: 3, references: balanced });
  t.equal(await descriptorsReturnTo(before), before);
});

const endings: Record<string, string> = {
  'process.exit()': 'process.exit();',
  'an exception': `throw new Error('over');`,
  'the end of its work': 'for (const each of [server, waiting, client, ...accepted]) each.unref();',
  'termination in a listener': 'for (;;);',
};

for (const [name, ending] of Object.entries(endings)) {
  t.test(`a worker with open sockets ends by ${name}`, async (t) => {
    const before = descriptors();
    const worker = start(
      t,
      `const accepted = [];
      (async () => {
        const { server, port } = await listen((socket) => accepted.push(socket.resume()));
        const waiting = net.connect(port, '127.0.0.1');
        await once(server, 'connection');
        const client = net.connect(port, '127.0.0.1');
        await once(server, 'connection');
        if (client.connecting) await once(client, 'connect');
        accepted[1].once('data', () => {
          parentPort.postMessage(net.ledger().live);
          ${ending}
        });
        client.write(Buffer.alloc(8 << 20));
      })();`,
    );
    worker.on('error', (error) => t.equal(error.message, 'over'));
    const ended = once(worker, 'exit').catch(() => undefined);
    const live = await new Promise((resolve) => worker.once('message', resolve));
    t.equal(live, 5);
    if (name.startsWith('termination')) await worker.terminate();
    await ended;
    t.equal(await descriptorsReturnTo(before), before);
  });
}

t.test(
  'the main thread’s descriptors are adopted by a worker, and stay open without it',
  async (t) => {
    const before = descriptors();
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    const [socket] = await once(server, 'connection');
    const { fd } = socket.detach();
    const worker = start(
      t,
      `(async () => {
      const [fd] = await once(parentPort, 'message');
      const socket = net.Socket.attach(fd);
      socket.write('from the worker');
      const [data] = await once(socket, 'data');
      const detached = socket.detach();
      parentPort.postMessage([detached.fd, String(data)]);
      parentPort.close();
    })();`,
    );
    const answer = once(worker, 'message');
    const ended = once(worker, 'exit');
    worker.postMessage(fd);
    t.equal(String((await once(client, 'data'))[0]), 'from the worker');
    client.write('to the worker');
    t.same((await answer)[0], [fd, 'to the worker']);
    await ended;
    const back = net.Socket.attach(fd);
    back.end('from the main thread again');
    t.equal(String((await once(client, 'data'))[0]), 'from the main thread again');
    client.end();
    back.resume();
    await Promise.all([once(client, 'close'), once(back, 'close')]);
    server.close();
    await once(server, 'close');
    t.equal(await descriptorsReturnTo(before), before);
  },
);

const calls: Record<string, string> = {
  'ask the core for reports': `for (;;) { net.sockstat(); net.ledger(); }`,
  // Its small pieces are carried out in the call that sends the whole, which therefore takes long.
  'write large and small pieces together': `
    const socket = net.connect(port, '127.0.0.1');
    const write = () => {
      socket.cork();
      socket.write(Buffer.alloc(20_000));
      for (let i = 0; i < 8000; i++) socket.write('x');
      socket.uncork();
      setImmediate(write);
    };
    socket.on('connect', write);`,
};

for (const [what, call] of Object.entries(calls)) {
  t.test(`workers terminated while they ${what}`, async (t) => {
    const program = `
      listen((socket) => socket.resume()).then(({ port }) => {
        parentPort.postMessage('ready');
        ${call}
      });`;
    const before = descriptors();
    for (let times = 0; times < 25; times++) {
      const worker = start(t, program);
      await once(worker, 'message');
      await new Promise((resolve) => setTimeout(resolve, 20 + times));
      t.equal(await worker.terminate(), 1);
    }
    t.equal(await descriptorsReturnTo(before), before);
  });
}
