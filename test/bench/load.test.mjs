// The load generator counts exactly what happens, on both sides, against every bare server and
// against node:net; and it tells failures from successes.
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { chooseContenders, programs } from '../../bench/contenders.mjs';
import { Load, runLoad, ServerProcess } from '../../bench/processes.mjs';

const COUNT = 200;
const servers = chooseContenders({ only: ['node:net', 'floor io_uring', 'floor epoll'] });

/** Starts a server; undefined where the host lacks what an optional one needs. */
async function start(t, contender, mode) {
  try {
    return await ServerProcess.start(contender, { mode, cpu: null });
  } catch (error) {
    if (!contender.optional) throw error;
    t.comment(`${contender.name} is left out: ${error.message}`);
    return undefined;
  }
}

for (const contender of servers) {
  t.test(contender.name, async (t) => {
    for (const mode of ['accept-close', 'request-response', 'echo', 'hold']) {
      const server = await start(t, contender, mode);
      if (!server) return;
      const length = mode === 'hold' ? ['--seconds', '0.3'] : ['--count', String(COUNT)];
      const result = await runLoad([
        ...['--mode', mode, '--port', String(server.port), '--workers', '2'],
        ...['--concurrency', mode === 'hold' ? String(COUNT) : '20', ...length],
      ]);
      const report = await server.stop();
      const connections = mode === 'echo' ? 20 : COUNT;
      const { total, errors } = result;
      t.equal(total.completed, COUNT, `${mode}: all were completed`);
      t.equal(total.opened, connections, `${mode}: no more were opened`);
      t.equal(total.closed, connections, `${mode}: all were closed`);
      t.strictSame(errors, {}, `${mode}: no errors`);
      t.equal(total.unfinished, 0, `${mode}: none is left`);
      t.equal(report.accepted, connections, `${mode}: the server accepted as many`);
      t.equal(report.failed, 0, `${mode}: none failed in the server`);
      t.equal(report.exitCode, 0, `${mode}: the server closed them all`);
      if (mode === 'hold') t.equal(result.window.live, COUNT, 'hold: all were held');
      else t.equal(result.latency_us.samples, COUNT, `${mode}: as many latencies`);
    }
  });
}

const httpServers = chooseContenders({ row: { module: 'node:http' } });
for (const contender of httpServers) {
  t.test(`${contender.name} with http`, async (t) => {
    for (const mode of ['http', 'http-close']) {
      const server = await ServerProcess.start(contender, { mode, cpu: null });
      const result = await runLoad([
        ...['--mode', mode, '--port', String(server.port), '--workers', '2'],
        ...['--concurrency', '20', '--count', String(COUNT)],
      ]);
      const report = await server.stop();
      const connections = mode === 'http' ? 20 : COUNT;
      t.equal(result.total.completed, COUNT, `${mode}: all were completed`);
      t.equal(result.total.closed, connections, `${mode}: all connections were closed`);
      t.strictSame(result.errors, {}, `${mode}: no errors`);
      t.equal(report.accepted, connections, `${mode}: the server accepted as many`);
      t.equal(report.exitCode, 0, `${mode}: the server closed them all`);
    }
  });
}

/** A server in this process, for what no proper server does. */
async function listen(t, serve) {
  const server = createServer(serve);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return String(server.address().port);
}

const ignoreReset = (socket) => socket.on('error', () => {});

t.test('a refused connection is counted by its errno', async (t) => {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = String(server.address().port);
  await new Promise((resolve) => server.close(resolve));
  for (const mode of ['accept-close', 'request-response']) {
    const { errors, total } = await runLoad(['--mode', mode, '--port', port, '--count', '30']);
    t.strictSame(errors, { ECONNREFUSED: 30 }, mode);
    t.strictSame(total, { opened: 30, closed: 0, completed: 0, unfinished: 0 }, mode);
  }
});

t.test('an answer that is cut off is no success', async (t) => {
  const port = await listen(t, (socket) => {
    ignoreReset(socket).once('data', () => socket.end('too short'));
  });
  const { errors, total } = await runLoad([
    ...['--mode', 'request-response', '--port', port, '--count', '30'],
  ]);
  t.equal(total.completed, 0);
  t.strictSame(errors, { UNEXPECTED_END: 30 });
});

t.test('a wrong echo is no success', async (t) => {
  const port = await listen(t, (socket) => {
    ignoreReset(socket).on('data', (chunk) => socket.write(chunk.reverse()));
  });
  const { errors, total } = await runLoad([
    ...['--mode', 'echo', '--port', port, '--count', '30', '--concurrency', '10'],
  ]);
  t.equal(total.completed, 0);
  t.strictSame(errors, { UNEXPECTED_DATA: 30 });
});

t.test('a held connection that the server closes is an error', async (t) => {
  const port = await listen(t, (socket) => socket.end());
  const { errors, window } = await runLoad([
    ...['--mode', 'hold', '--port', port, '--concurrency', '10', '--seconds', '0.2'],
  ]);
  t.ok(errors.UNEXPECTED_END > 0);
  t.ok(window.live <= 10);
});

t.test('a server that never closes bounds the run', async (t) => {
  const sockets = [];
  const port = await listen(t, (socket) => sockets.push(ignoreReset(socket).resume()));
  const { total } = await runLoad([
    ...['--port', port, '--count', '20', '--concurrency', '20', '--timeout', '0.5'],
  ]);
  t.strictSame(total, { opened: 20, closed: 0, completed: 0, unfinished: 20 });
  t.equal(sockets.length, 20);
  for (const socket of sockets) socket.destroy();
});

t.test('latency is the time from connect to the end', async (t) => {
  const port = await listen(t, (socket) => setTimeout(() => socket.destroy(), 50));
  const { latency_us } = await runLoad(['--port', port, '--count', '40', '--concurrency', '10']);
  t.equal(latency_us.samples, 40);
  t.ok(latency_us.p50 >= 49_000 && latency_us.p50 < 500_000, `p50 ${latency_us.p50} µs`);
  t.ok(latency_us.p50 <= latency_us.p90 && latency_us.p90 <= latency_us.p99, 'in order');
  t.ok(latency_us.p99 <= latency_us.max, 'and the largest last');
});

t.test('IPv6, the reset and the window', async (t) => {
  const server = createServer((socket) => socket.destroy());
  await new Promise((resolve) => server.listen(0, '::1', resolve));
  t.teardown(() => server.close());
  const port = String(server.address().port);
  const result = await runLoad([
    ...['--host', '::1', '--port', port, '--reset', '--seconds', '0.3', '--warm-up', '0.1'],
    ...['--concurrency', '16', '--server-pid', String(process.pid)],
  ]);
  t.strictSame(result.errors, {});
  t.ok(result.window.completed > 0);
  t.ok(result.total.completed > result.window.completed, 'the warm-up is not in the window');
  t.ok(result.server.cpu_us > 0 && result.server.busy < 16, 'the CPU time of the server');
});

t.test('a rate is kept, and latency counts from when a connection was due', async (t) => {
  const port = await listen(t, (socket) => socket.destroy());
  const { per_second, latency_us, errors } = await runLoad([
    ...['--port', port, '--rate', '200', '--seconds', '1', '--warm-up', '0.2'],
  ]);
  t.strictSame(errors, {});
  t.ok(per_second > 150 && per_second < 250, `${per_second} a second`);
  // One connection at a time, each 30 ms long, at 100 a second: the later ones are ever more late.
  const slow = await listen(t, (socket) => setTimeout(() => socket.destroy(), 30));
  const late = await runLoad([
    ...['--port', slow, '--rate', '100', '--concurrency', '1', '--count', '30'],
  ]);
  t.ok(late.latency_us.max > 400_000, `${late.latency_us.max} µs`);
  t.ok(latency_us.p50 > 0);
});

t.test('SIGTERM ends a run in order, with its report', async (t) => {
  const port = await listen(t, (socket) => ignoreReset(socket).resume());
  const load = new Load([
    ...['--mode', 'hold', '--port', port, '--concurrency', '20', '--seconds', '600'],
  ]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const { total, errors } = await load.stop();
  t.strictSame(total, { opened: 20, closed: 20, completed: 20, unfinished: 0 });
  t.strictSame(errors, {});
});

t.test('a connection that ends with its message, and a storm of them', async (t) => {
  for (const contender of servers) {
    const server = await start(t, contender, 'echo');
    if (!server) continue;
    const { total, errors } = await runLoad([
      ...['--mode', 'echo-close', '--port', String(server.port), '--workers', '2'],
      ...['--concurrency', '40', '--count', String(COUNT)],
    ]);
    const report = await server.stop();
    t.strictSame(total, { opened: COUNT, closed: COUNT, completed: COUNT, unfinished: 0 });
    t.strictSame(errors, {}, contender.name);
    t.equal(report.accepted, COUNT);
  }
});

t.test('wrong usage ends with 2 and says why', async (t) => {
  const wrong = [
    [[], /--port is missing/],
    [['--port', '0'], /--port/],
    [['--port', '80', '--host', '10.0.0.1'], /loopback/],
    [['--port', '80', '--host', 'localhost'], /loopback/],
    [['--port', '80', '--seconds', 'nan'], /--seconds/],
    [['--port', '80', '--concurrency', '1e9'], /--concurrency/],
    [['--port', '80', '--cpus', '0,,1'], /--cpus/],
    [['--port', '80', '--mode', 'flood'], /--mode/],
    [['--port', '80', '--mode', 'echo', '--reset'], /--reset/],
    [['--port', '80', '--mode', 'pipe', '--count', '3'], /no --count/],
    [['--port', '80', '--rate', '0'], /--rate/],
    [['--port', '80', '--workers', '4', '--concurrency', '2'], /--concurrency/],
    [['--frobnicate', '1'], /no such option/],
    [['--port'], /missing/],
  ];
  for (const [args, message] of wrong) {
    const { status, stderr, stdout } = spawnSync(join(programs, 'load'), args, {
      encoding: 'utf8',
    });
    t.equal(status, 2, args.join(' '));
    t.match(stderr, message, args.join(' '));
    t.equal(stdout, '', 'and nothing on stdout');
  }
});
