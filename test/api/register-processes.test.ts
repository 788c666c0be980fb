// Clusters, and sockets and servers that go to other processes, with net being soref in all of them.
import t from 'tap';
import { run, runRegistered, shortFolder } from './programs';

// Each program is run on node:net as well, and has to print the same there.
const CLUSTER = `
const cluster = require('node:cluster');
const net = require('net');
cluster.schedulingPolicy = process.env.POLICY === 'none' ? cluster.SCHED_NONE : cluster.SCHED_RR;
const path = process.env.SOCKET_PATH;
if (cluster.isPrimary) {
  const answer = (where) => new Promise((resolve) => {
    let text = '';
    net.connect(where).on('data', (data) => { text += data; }).on('close', () => resolve(text));
  });
  const workers = [cluster.fork(), cluster.fork()];
  let listening = 0;
  cluster.on('listening', async (worker, address) => {
    if (++listening < 2) return;
    const where = path ? { path } : { port: address.port, host: '127.0.0.1' };
    const served = new Set();
    for (let i = 0; i < 6; i++) served.add(await answer(where));
    const known = workers.map(({ process }) => String(process.pid));
    const isRoundRobin = cluster.schedulingPolicy === cluster.SCHED_RR;
    console.log([...served].every((pid) => known.includes(pid)), isRoundRobin ? served.size : '');
    for (const worker of workers) worker.disconnect();
  });
  cluster.on('exit', (worker, code) => console.log('exit', code));
} else {
  net.createServer((socket) => socket.end(String(process.pid))).listen(path || { port: 0, host: '127.0.0.1' });
}`;

const CLUSTER_TROUBLE = `
const cluster = require('node:cluster');
const net = require('net');
cluster.schedulingPolicy = process.env.POLICY === 'none' ? cluster.SCHED_NONE : cluster.SCHED_RR;
if (cluster.isPrimary) {
  const taken = net.createServer().listen(0, '127.0.0.1', () => {
    const worker = cluster.fork({ PORT: taken.address().port });
    worker.on('message', (text) => console.log(text));
    worker.on('exit', (code) => { console.log('exit', code); taken.close(); });
  });
} else {
  const port = Number(process.env.PORT);
  const server = net.createServer();
  server.on('error', ({ code, syscall, message }) => {
    process.send([code, syscall, message.replace(port, 'PORT')].join(', '));
    server.listen({ port: 0, exclusive: true }, () => {
      process.send(typeof server.address().port, () => {
        server.close(() => process.send('closed', () => process.disconnect()));
      });
    });
  });
  server.listen(port, '127.0.0.1');
}`;

const PASSING = `
const { fork, spawn } = require('node:child_process');
const { once } = require('node:events');
const net = require('net');
const listen = async (server) => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
};
const read = (port) => new Promise((resolve) => {
  let text = '';
  net.connect(port, '127.0.0.1').on('data', (data) => { text += data; }).on('close', () => resolve(text));
});
const closed = (server) => new Promise((resolve) => server.close(resolve));
async function parent() {
  // Whether the other process has soref too is said by the environment.
  const SOREF_REGISTER = process.env.CHILD_REGISTER ?? '1';
  const child = fork(__filename, ['child'], { env: { ...process.env, SOREF_REGISTER } });
  const message = async () => (await once(child, 'message'))[0];
  await message();

  const leaving = net.createServer({ pauseOnConnect: true }, (socket) => {
    socket.write('parent ');
    child.send('socket', socket);
  });
  console.log(await read(await listen(leaving)));
  await closed(leaving);
  leaving.getConnections((error, count) => console.log('connections', count));

  const kept = net.createServer({ pauseOnConnect: true }, async (socket) => {
    child.send('kept', socket, { keepOpen: true });
    await message();
    socket.resume().end('and parent');
  });
  console.log(await read(await listen(kept)));
  kept.close();

  const server = net.createServer();
  const port = await listen(server);
  child.send('server', server);
  await message();
  await closed(server);
  console.log(await read(port));

  child.on('message', (name, socket) => { if (name === 'returned') socket.end('returned'); });
  child.send('listen');
  console.log(await read(await message()));
  child.send('end');

  const output = net.createServer((socket) => {
    spawn('sh', ['-c', 'echo standard output'], { stdio: ['ignore', socket, 'inherit'] })
      .on('exit', () => socket.end());
  });
  console.log((await read(await listen(output))).trim());
  output.close();
}
function child() {
  process.on('message', (name, handle) => {
    if (name === 'socket') handle.end('child');
    if (name === 'kept') handle.write('child ', () => { handle.destroy(); process.send('written'); });
    if (name === 'server') {
      handle.on('connection', (socket) => { socket.end('child’s server'); handle.close(); });
      process.send('serving');
    }
    if (name === 'listen') {
      const server = net.createServer({ pauseOnConnect: true }, (socket) => process.send('returned', socket));
      server.listen(0, '127.0.0.1', () => process.send(server.address().port));
      process.once('message', () => server.close(() => process.disconnect()));
    }
  });
  process.send('ready');
}
if (process.argv[2] === 'child') child();
else parent();`;

// Many at once, so that they queue in the channel; over TCP and a path; with messages between them.
const CROWD = `
const { fork } = require('node:child_process');
const { once } = require('node:events');
const net = require('net');
const COUNT = 60;
const path = process.env.SOCKET_PATH;
const read = (where) => new Promise((resolve) => {
  let text = '';
  net.connect(where).on('data', (data) => { text += data; }).on('close', () => resolve(text));
});
async function parent() {
  const SOREF_REGISTER = process.env.CHILD_REGISTER ?? '1';
  const child = fork(__filename, ['child'], { env: { ...process.env, SOREF_REGISTER } });
  await once(child, 'message');
  const order = [];
  child.on('message', (name, socket) => {
    // The child sends each one back, and it is ended here.
    if (name.socket !== undefined) socket.end('back ' + name.socket);
    else order.push(name.order);
  });
  for (const where of [{ port: 0, host: '127.0.0.1' }, { path }]) {
    let next = 0;
    const server = net.createServer({ pauseOnConnect: true }, (socket) => {
      child.send({ socket: next }, socket, (error) => { if (error) console.log(error.code); });
      child.send({ order: next++ });
    });
    await once(server.listen(where), 'listening');
    const target = where.port === 0 ? server.address() : where;
    const answers = await Promise.all(Array.from({ length: COUNT }, () => read({ ...target, host: target.address })));
    console.log(new Set(answers).size, answers.every((answer) => /^there [0-9]+, back [0-9]+$/.test(answer)));
    // It does not end: of a connection that comes back the child tells no close.
    server.close();
  }
  while (order.length < 2 * COUNT) await once(child, 'message');
  console.log(order.every((value, index) => value === index % COUNT));
  // There is nobody to take it, and so it stays here.
  child.kill();
  await once(child, 'exit');
  const kept = net.createServer((socket) => {
    child.send('nobody', socket, (error) => {
      console.log(error.code);
      socket.end('kept');
    });
  });
  await once(kept.listen(0, '127.0.0.1'), 'listening');
  console.log(await read(kept.address().port));
  kept.close();
}
function child() {
  process.on('message', (message, handle) => {
    if (message.socket !== undefined) {
      handle.write('there ' + message.socket + ', ', () => process.send(message, handle));
    } else process.send(message);
  });
  process.send('ready');
}
if (process.argv[2] === 'child') child();
else parent();`;

// A child takes over a connection of an http server, which then has nothing of http left here.
const HTTP_CONNECTION = `
const { fork } = require('node:child_process');
const http = require('node:http');
if (process.argv[2] === 'child') {
  process.on('message', (url, socket) => socket.end('HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\nchild: ' + url));
  process.send('ready');
} else {
  const child = fork(__filename, ['child']);
  const server = http.createServer((req, res) => {
    const { socket } = res;
    child.send(req.url, socket, () => child.disconnect());
    console.log(socket.parser, socket._httpMessage, res.socket, socket.timeout);
    server.close();
  });
  child.once('message', () => server.listen(0, '127.0.0.1', () => {
    http.get({ port: server.address().port, path: '/path', agent: false }, (res) => {
      res.setEncoding('utf8').on('data', (text) => console.log(text));
    });
  }));
}`;

// A connection that the primary accepts is a worker's, comes back, and a server goes the other way.
const BETWEEN_WORKERS = `
const cluster = require('node:cluster');
const { once } = require('node:events');
const net = require('net');
const read = (port) => new Promise((resolve) => {
  let text = '';
  net.connect(port, '127.0.0.1').on('data', (data) => { text += data; }).on('close', () => resolve(text));
});
if (cluster.isPrimary) {
  const worker = cluster.fork({ SOREF_REGISTER: process.env.CHILD_REGISTER ?? '1' });
  worker.once('online', async () => {
    const server = net.createServer({ pauseOnConnect: true }, (socket) => worker.send('socket', socket));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    worker.on('message', (name, handle) => { if (name === 'returned') handle.end('primary'); });
    console.log(await read(server.address().port));
    server.close();
    worker.send('own');
    const [port] = await once(worker, 'message');
    console.log(await read(port));
    worker.disconnect();
  });
  cluster.on('exit', (worker, code) => console.log('exit', code));
} else {
  process.on('message', (name, handle) => {
    if (name === 'socket') handle.write('worker ', () => process.send('returned', handle));
    if (name === 'own') {
      const server = net.createServer((socket) => socket.end('worker’s server'));
      server.listen(0, '127.0.0.1', () => process.send(server.address().port));
    }
  });
}`;

/** Runs a program with and without soref, and compares what they print. */
async function compare(test: Tap, program: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const file = `${test.testdir({ 'program.cjs': program })}/program.cjs`;
  const plain = await run(file, { env });
  test.equal(plain.status, 0, `node:net: ${plain.stderr}`);
  const registered = await runRegistered(file, { env });
  test.equal(registered.status, 0, registered.stderr);
  test.equal(registered.stderr, '');
  test.equal(registered.stdout, plain.stdout);
}
type Tap = Pick<typeof t, 'testdir' | 'equal'>;

for (const POLICY of ['rr', 'none']) {
  t.test(`a cluster, scheduling policy ${POLICY}`, (t) => compare(t, CLUSTER, { POLICY }));

  t.test(`a cluster on a path, scheduling policy ${POLICY}`, (t) => {
    const SOCKET_PATH = `${shortFolder()}/socket`;
    return compare(t, CLUSTER, { POLICY, SOCKET_PATH });
  });

  t.test(`a port in use in a cluster, scheduling policy ${POLICY}`, (t) =>
    compare(t, CLUSTER_TROUBLE, { POLICY }),
  );
}

// With soref on both sides, and where the other process is one of plain Node.
const SIDES = {
  'both have soref': {},
  'the parent has it': { CHILD_REGISTER: '0' },
  'the child has it': { SOREF_REGISTER: '0' },
};
for (const [name, env] of Object.entries(SIDES)) {
  t.test(`sockets and servers go to a child and come back: ${name}`, (t) =>
    compare(t, PASSING, env),
  );

  t.test(`many sockets at once: ${name}`, (t) => {
    const SOCKET_PATH = `${shortFolder()}/socket`;
    return compare(t, CROWD, { ...env, SOCKET_PATH });
  });

  t.test(`sockets between a primary and its worker: ${name}`, (t) =>
    compare(t, BETWEEN_WORKERS, env),
  );
}

t.test('a connection of http’s goes to a child', (t) => compare(t, HTTP_CONNECTION));

t.test('a worker of a cluster leaves a balanced ledger', async (t) => {
  const program = `process.on('exit', () => {
    const { attached, detached, descriptors } = require('soref').ledger();
    if (attached !== detached || descriptors !== 0) console.log('unbalanced');
  });${CLUSTER}`;
  await compare(t, program.replaceAll("require('soref')", 'require(process.env.SOREF)'), {
    SOREF: require.resolve('soref'),
  });
});
