// Socket activation: descriptors that are inherited for real, with the variables that sd_listen_fds(3) reads. The
// program that inherits them is a process of its own; this one makes the sockets and closes its ends.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, listenDescriptors, type Socket } from 'soref';
import t from 'tap';
import { activating, run, runRegistered } from './programs';

const fdOf = (socket: object) => (socket as { _handle: { fd: number } })._handle.fd;

/** A socket that listens. Its descriptor is inherited, and then closed here. */
async function listening(where: { port: number; host: string } | { path: string }) {
  const server = createServer().listen(where);
  await once(server, 'listening');
  return server;
}

function read(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (data) => {
      text += data;
    });
    socket.on('error', reject).on('close', () => resolve(text));
  });
}

const SERVERS = `
const { createServer, listenDescriptors } = require('soref');
const { readlinkSync } = require('node:fs');
const { spawnSync } = require('node:child_process');
console.log(JSON.stringify(listenDescriptors()));
console.log(listenDescriptors({ unsetEnvironment: true }).length, listenDescriptors().length);
console.log(Object.keys(process.env).filter((name) => name.startsWith('LISTEN_')).length);
const ours = readlinkSync('/proc/self/fd/3');
const childs = spawnSync('readlink', ['/proc/self/fd/3'], { encoding: 'utf8' }).stdout.trim();
console.log(ours.startsWith('socket:'), childs === ours);
for (const [fd, name] of [[3, 'web'], [4, 'control']]) {
  const server = createServer((socket) => {
    socket.end(name);
    server.close();
  }).listen({ fd });
}`;

t.test('sockets that wait for a service have their connections when it comes', async (t) => {
  const web = await listening({ port: 0, host: '127.0.0.1' });
  const path = `\0soref-activation-${process.pid}`;
  const control = await listening({ path });
  const { port } = web.address() as AddressInfo;
  const file = `${t.testdir({ 'program.cjs': SERVERS })}/program.cjs`;
  const ending = run(file, {
    launcher: activating,
    env: { LISTEN_FDS: '2', LISTEN_FDNAMES: 'web:control' },
    descriptors: [fdOf(web), fdOf(control)],
  });
  web.close();
  control.close();
  // Nobody accepts yet: the program has only begun to start.
  t.equal(await read(connect(port, '127.0.0.1')), 'web');
  t.equal(await read(connect({ path })), 'control');
  const { status, stdout, stderr } = await ending;
  t.equal(status, 0, stderr);
  const names = [
    { fd: 3, name: 'web' },
    { fd: 4, name: 'control' },
  ];
  const [list, ...rest] = stdout.trim().split('\n');
  t.strictSame(JSON.parse(list ?? ''), names);
  t.strictSame(rest, ['2 0', '0', 'true false'], 'unset, and not inherited by children');
});

t.test('a connection that the manager accepted', async (t) => {
  const server = await listening({ port: 0, host: '127.0.0.1' });
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  const program = `
    const { listenDescriptors, Socket } = require('soref');
    const [{ fd, name }] = listenDescriptors();
    const socket = Socket.attach(fd);
    socket.on('data', (data) => socket.end(name + ' ' + data));`;
  const ending = run(`${t.testdir({ 'program.cjs': program })}/program.cjs`, {
    launcher: activating,
    env: { LISTEN_FDS: '1', LISTEN_FDNAMES: 'connection' },
    descriptors: [fdOf(accepted)],
  });
  accepted.destroy();
  server.close();
  client.write('hello');
  t.equal(await read(client), 'connection hello');
  const { status, stderr } = await ending;
  t.equal(status, 0, stderr);
});

const CLUSTER = `
const cluster = require('node:cluster');
const net = require('net');
cluster.schedulingPolicy = process.env.POLICY === 'none' ? cluster.SCHED_NONE : cluster.SCHED_RR;
if (cluster.isPrimary) {
  const soref = require(process.env.SOREF);
  const [{ fd }] = soref.listenDescriptors();
  const workers = [cluster.fork({ FD: fd }), cluster.fork({ FD: fd })];
  // The primary closes the descriptor with the last worker that has it: neither may leave before the
  // other one listens.
  let awaited = ['listening', 'listening', 'served'].length;
  const happened = () => {
    awaited -= 1;
    if (awaited === 0) for (const worker of workers) worker.disconnect();
  };
  cluster.on('listening', happened).on('message', happened);
  cluster.on('exit', (worker, code) => console.log('exit', code));
} else {
  console.log('passed to a worker', require(process.env.SOREF).listenDescriptors().length);
  const server = net.createServer((socket) => {
    socket.end('worker');
    process.send('served');
  });
  server.listen({ fd: Number(process.env.FD) });
}`;

for (const POLICY of ['rr', 'none']) {
  t.test(`workers of a cluster listen on one, scheduling policy ${POLICY}`, async (t) => {
    const server = await listening({ port: 0, host: '127.0.0.1' });
    const { port } = server.address() as AddressInfo;
    const file = `${t.testdir({ 'program.cjs': CLUSTER })}/program.cjs`;
    const ending = runRegistered(file, {
      launcher: activating,
      env: { LISTEN_FDS: '1', POLICY, SOREF: require.resolve('soref') },
      descriptors: [fdOf(server)],
    });
    server.close();
    t.equal(await read(connect(port, '127.0.0.1')), 'worker');
    const { status, stdout, stderr } = await ending;
    t.equal(status, 0, stderr);
    const lines = stdout.trim().split('\n').sort();
    t.strictSame(lines, ['exit 0', 'exit 0', 'passed to a worker 0', 'passed to a worker 0']);
  });
}

t.test('what the environment says', async (t) => {
  const variables = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'];
  const saved = variables.map((name) => process.env[name]);
  t.teardown(() => {
    variables.forEach((name, index) => {
      if (saved[index] === undefined) delete process.env[name];
      else process.env[name] = saved[index];
    });
  });
  const pid = String(process.pid);
  const passed = (LISTEN_PID?: string, LISTEN_FDS?: string, LISTEN_FDNAMES?: string) => {
    for (const name of variables) delete process.env[name];
    Object.assign(process.env, {
      ...(LISTEN_PID !== undefined && { LISTEN_PID }),
      ...(LISTEN_FDS !== undefined && { LISTEN_FDS }),
      ...(LISTEN_FDNAMES !== undefined && { LISTEN_FDNAMES }),
    });
    return listenDescriptors();
  };
  t.strictSame(passed(), []);
  t.strictSame(passed(pid), []);
  t.strictSame(passed(undefined, '1'), []);
  t.strictSame(passed('1', '1', 'a'), [], 'another process');
  t.strictSame(passed(pid, '1'), [{ fd: 3, name: 'unknown' }]);
  t.strictSame(passed(pid, '2', ':b'), [
    { fd: 3, name: 'unknown' },
    { fd: 4, name: 'b' },
  ]);
  const code = 'ERR_SOREF_LISTEN_ENVIRONMENT';
  t.throws(() => passed(pid, 'many'), { code, message: /LISTEN_FDS .*'many'/ });
  t.throws(() => passed(pid, '0'), { code });
  t.throws(() => passed(pid, '-1'), { code });
  t.throws(() => passed('', '1'), { code, message: /LISTEN_PID/ });
  t.throws(() => passed(pid, '2', 'one'), { code, message: /LISTEN_FDNAMES .*'one'/ });
});
