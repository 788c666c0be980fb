// A process without free descriptors: a listener waits and loses nobody, whoever frees a descriptor;
// connecting and listening fail as they do in Node. Each program has a real limit of its own.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { root } from './programs';

const DESCRIPTORS = 64;

/** Runs a program with few descriptors, and reads what it prints as JSON. */
async function runLimited(t: Test, program: string, net: string): Promise<unknown> {
  const folder = t.testdir({ 'program.cjs': FILL + program });
  const command = `ulimit -n ${DESCRIPTORS}; exec "$@"`;
  const args = ['-c', command, 'sh', process.execPath, `${folder}/program.cjs`, net];
  const { stdout } = await promisify(execFile)('sh', args, { cwd: root, timeout: 60_000 });
  return JSON.parse(stdout);
}

const FILL = `
const { openSync, closeSync } = require('node:fs');
const { once } = require('node:events');
const net = require(process.argv[2]);
const plain = [];
function fill() {
  try { for (;;) plain.push(openSync('/dev/null', 'r')); } catch (error) {
    if (error.code !== 'EMFILE') throw error;
  }
}
/** Waits for a fact that no event tells of. */
async function until(isTrue) {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 1));
}
function print(value) { process.stdout.write(JSON.stringify(value)); }
`;

/** Ten clients whose connections stand in the kernel while the listener cannot accept. */
const WAITING = `
const waiting = [];
const accepted = [];
async function listenAndFill() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('connection', (socket) => { accepted.push(socket); socket.pipe(socket); });
  server.on('error', (error) => print({ error: error.message }));
  for (let i = 0; i < 10; i++) {
    const options = { port: server.address().port, host: '127.0.0.1', allowHalfOpen: true };
    const client = net.connect(options);
    client.on('error', (error) => print({ error: error.message }));
    waiting.push(client);
  }
  // The clients take their descriptors in a tick; the listener has its turn later.
  await new Promise((resolve) => process.nextTick(resolve));
  fill();
  await Promise.all(waiting.map((client) => once(client, 'connect')));
  await until(() => net.ledger().acceptsPaused > 0);
  return server;
}
async function echo(client) {
  client.write('echo');
  return String((await once(client, 'data'))[0]);
}
`;

t.test('plain descriptors that become free are used, one by one', async (t) => {
  const report = await runLimited(
    t,
    `${WAITING}
    (async () => {
      const server = await listenAndFill();
      const before = accepted.length;
      const counts = [];
      while (accepted.length < 10) {
        const next = once(server, 'connection');
        closeSync(plain.pop());
        await next;
        counts.push(accepted.length);
      }
      const echoes = await Promise.all(waiting.map(echo));
      for (const client of waiting) client.destroy();
      server.close();
      await until(() => net.ledger().live === 0);
      const { attached, detached, live, descriptors } = net.ledger();
      print({ before, counts, echoes, balanced: attached === detached, live, descriptors });
    })();`,
    'soref',
  );
  t.strictSame(report, {
    before: 0,
    counts: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    echoes: new Array(10).fill('echo'),
    balanced: true,
    live: 0,
    descriptors: 0,
  });
});

t.test('a socket that closes makes room for the next connection', async (t) => {
  const report = await runLimited(
    t,
    `${WAITING}
    (async () => {
      const server = await listenAndFill();
      let served = 0;
      closeSync(plain.pop());
      // One descriptor goes from connection to connection: the clients are half open, and keep theirs.
      for (const client of waiting) {
        if (await echo(client) === 'echo') served++;
        accepted[served - 1].destroy();
      }
      for (const client of waiting) client.destroy();
      server.close();
      await until(() => net.ledger().live === 0);
      print({ served, accepted: accepted.length });
    })();`,
    'soref',
  );
  t.strictSame(report, { served: 10, accepted: 10 });
});

t.test('waiting costs no processor time, and the listener is still the same', async (t) => {
  const report = (await runLimited(
    t,
    `${WAITING}
    (async () => {
      const server = await listenAndFill();
      const start = process.cpuUsage();
      const callsBefore = net.ledger().systemCalls;
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { user, system } = process.cpuUsage(start);
      const calls = net.ledger().systemCalls - callsBefore;
      const listening = server.listening && server.address() !== null;
      const rows = net.sockstat().filter((row) => row.state === 'listening').length;
      for (const fd of plain.splice(0)) closeSync(fd);
      await until(() => accepted.length === 10);
      for (const client of waiting) client.destroy();
      server.close();
      await once(server, 'close');
      print({ milliseconds: (user + system) / 1000, calls, listening, rows });
    })();`,
    'soref',
  )) as { milliseconds: number; calls: number; listening: boolean; rows: number };
  t.comment(`${report.milliseconds} ms of 300, ${report.calls} system calls of the engine`);
  t.ok(report.milliseconds < 60, 'at most a fifth of the time');
  t.ok(report.calls < 100, 'a few attempts');
  t.equal(report.listening, true);
  t.equal(report.rows, 1);
});

t.test('a listener that is closed while it waits', async (t) => {
  const report = await runLimited(
    t,
    `${WAITING}
    (async () => {
      const server = await listenAndFill();
      for (const client of waiting) client.removeAllListeners('error').on('error', () => {});
      const ends = waiting.map((client) => new Promise((resolve) => client.on('close', resolve)));
      server.close();
      await once(server, 'close');
      for (const client of waiting) client.resume();
      await Promise.all(ends);
      print({ accepted: accepted.length, live: net.ledger().live });
    })();`,
    'soref',
  );
  t.strictSame(report, { accepted: 0, live: 0 });
});

t.test('connect and listen fail as in Node', async (t) => {
  const program = `
  (async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    fill();
    const logs = [];
    const show = (what, error) => {
      const { code, errno, syscall, address, message } = error;
      const hasPort = error.port === port;
      logs.push({ what, code, errno, syscall, address, hasPort, message: message.replaceAll(port, 'PORT') });
    };
    const attempt = (what, emitter) => new Promise((resolve) => {
      emitter.on('error', (error) => { show(what, error); resolve(); });
    });
    const closed = (socket) => new Promise((resolve) => socket.on('close', (bad) => {
      logs.push({ close: bad }); resolve();
    }));
    for (const [what, options] of [
      ['ipv4', { port, host: '127.0.0.1' }],
      ['ipv6', { port, host: '::1' }],
      ['local', { port, host: '127.0.0.1', localAddress: '127.0.0.1' }],
      ['path', { path: '/tmp/soref-nobody' }],
    ]) {
      const socket = net.connect(options);
      await Promise.all([attempt('connect ' + what, socket), closed(socket)]);
    }
    for (const [what, options] of [
      ['any', { port: 0 }],
      ['ipv4', { port: 0, host: '127.0.0.1' }],
      ['path', { path: '/tmp/soref-nobody' }],
    ]) await attempt('listen ' + what, net.createServer().listen(options));
    closeSync(plain.pop());
    closeSync(plain.pop());
    const client = net.connect(port, '127.0.0.1');
    const [accepted] = await once(server, 'connection');
    client.destroy();
    accepted.destroy();
    server.close();
    await once(server, 'close');
    print(logs);
  })();`;
  const expected = await runLimited(t, program, 'node:net');
  t.ok((expected as unknown[]).length === 11);
  t.strictSame(await runLimited(t, program, 'soref'), expected);
});
