// Without a binary soref serves node:net, with one warning; an engine that was asked for by name is
// not silently replaced. The tests run a copy of the compiled package that has no addon.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { copyWithoutBinary, run } from './programs';

/** A program beside a copy of the package without its binary. */
function withoutBinary(test: Tap, program: string): string {
  const folder = test.testdir();
  copyWithoutBinary(folder);
  writeFileSync(join(folder, 'program.cjs'), program);
  return join(folder, 'program.cjs');
}
type Tap = { testdir(): string };

const env = { SOREF_ENGINE: '' };

t.test('node:net serves, with one warning', async (t) => {
  const file = withoutBinary(
    t,
    `const soref = require('soref');
    const net = require('net');
    process.on('warning', ({ code, name }) => console.log(name, code));
    const { Worker, isMainThread } = require('node:worker_threads');
    console.log(soref.engine, soref.Server === net.Server, soref.connect === net.connect);
    console.log(JSON.stringify([soref.ledger().attached, soref.sockstat(), soref.registered]));
    if (isMainThread) {
      new Worker(__filename);
      const server = soref.createServer((socket) => socket.end('served')).listen(0, () => {
        soref.connect(server.address().port).on('data', (data) => {
          console.log(String(data));
          server.close();
        });
      });
    }`,
  );
  const { status, stdout, stderr } = await run(file, { env });
  t.equal(status, 0, stderr);
  const lines = stdout.trim().split('\n');
  t.equal(lines.filter((line) => line === 'SorefWarning SOREF_NO_BINARY').length, 1);
  t.equal(lines.filter((line) => line === 'node true true').length, 2, 'in the worker too');
  t.equal(lines.filter((line) => line === '[0,[],[]]').length, 2);
  t.ok(lines.includes('served'));
  t.match(stderr, /SorefWarning: soref cannot load its addon/);
});

t.test('what only the core can do says so', async (t) => {
  const file = withoutBinary(
    t,
    `const { Socket, connect } = require('soref');
    const socket = new Socket();
    const code = (call) => { try { call(); } catch (error) { return error.code; } };
    console.log(code(() => Socket.attach(5)), code(() => socket.detach()), code(() => socket.attached));
    console.log(Object.keys(Socket.prototype).includes('detach'));`,
  );
  const { stdout } = await run(file, { env });
  t.equal(stdout, `${'ERR_SOREF_NO_CORE '.repeat(3).trim()}\nfalse\n`);
});

t.test('register leaves Node’s net alone', async (t) => {
  const file = withoutBinary(
    t,
    `const net = require('net');
    const before = net.Socket;
    require('soref/register');
    console.log(net.Socket === before, require('soref').registered.length);`,
  );
  t.equal((await run(file, { env })).stdout, 'true 0\n');
});

t.test('an engine that was asked for by name', async (t) => {
  const file = withoutBinary(
    t,
    `try { require('soref'); } catch (error) { console.log(error.code, error.message); }`,
  );
  const named = await run(file, { env: { SOREF_ENGINE: 'epoll' } });
  t.match(named.stdout, /^ERR_SOREF_ENGINE_UNAVAILABLE SOREF_ENGINE=epoll is not available/);
  const invalid = await run(file, { env: { SOREF_ENGINE: 'kqueue' } });
  t.match(invalid.stdout, /^ERR_SOREF_ENGINE_INVALID .*auto, io_uring, epoll.*'kqueue'/);
});
