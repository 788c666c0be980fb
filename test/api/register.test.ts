// soref/register: whoever asks for net gets soref, by whatever way, in workers and children too.

import { pathToFileURL } from 'node:url';
import t from 'tap';
import { register, root, run, runRegistered } from './programs';

const PRINT = `
const soref = require('soref');
const net = require('net');
module.exports = { registered: soref.registered, same: net.createServer === soref.createServer };`;

/** Writes the programs into a folder where they find the package. */
function programs(test: Tap, files: Record<string, string>): (name: string) => string {
  const folder = test.testdir({ 'print.cjs': PRINT, ...files });
  return (name) => `${folder}/${name}`;
}
type Tap = { testdir(files: Record<string, string>): string };

const JSON_OF_THIS = `console.log(JSON.stringify(require('./print.cjs')))`;

t.test('require, import and getBuiltinModule find soref', async (t) => {
  const file = programs(t, {
    'all.mjs': `
      import soref from 'soref';
      import net, { Socket, connect } from 'node:net';
      import { createRequire } from 'node:module';
      const required = createRequire(import.meta.url)('net');
      const builtin = process.getBuiltinModule('net');
      const all = [net.Socket, Socket, required.Socket, builtin.Socket, required.Stream];
      console.log(all.every((each) => each === soref.Socket), connect === soref.connect);
      console.log(soref.registered.includes('net.Socket'), Object.keys(net).length);`,
  });
  const plain = await run(file('all.mjs'));
  const count = plain.stdout.trim().split(' ').at(-1);
  t.equal(plain.stdout, `false false\nfalse ${count}\n`);
  for (const options of [
    ['--require', register],
    ['--import', pathToFileURL(register).href],
  ]) {
    const { stdout, stderr, status } = await run(file('all.mjs'), { options });
    t.equal(stdout, `true true\ntrue ${count}\n`, options.join(' '));
    t.equal(stderr, '');
    t.equal(status, 0);
  }
});

t.test('SOREF_REGISTER=0 switches it off', async (t) => {
  const file = programs(t, { 'main.cjs': JSON_OF_THIS });
  const on = await runRegistered(file('main.cjs'));
  t.match(JSON.parse(on.stdout), { same: true });
  const off = await runRegistered(file('main.cjs'), { env: { SOREF_REGISTER: '0' } });
  t.same(JSON.parse(off.stdout), { registered: [], same: false });
});

t.test('registering twice changes nothing more', async (t) => {
  const file = programs(t, { 'main.cjs': `require('soref/register');${JSON_OF_THIS}` });
  const { stdout } = await runRegistered(file('main.cjs'));
  const { registered } = JSON.parse(stdout) as { registered: string[] };
  t.equal(new Set(registered).size, registered.length);
});

t.test('workers and forked children are registered too', async (t) => {
  const file = programs(t, {
    'main.cjs': `
      const { Worker } = require('node:worker_threads');
      const { fork } = require('node:child_process');
      const script = __dirname + '/child.cjs';
      new Worker(script).on('message', (same) => console.log('worker', same)).on('exit', () => {
        fork(script).on('message', (same) => console.log('child', same));
      });`,
    'child.cjs': `
      const { parentPort } = require('node:worker_threads');
      const { same } = require('./print.cjs');
      if (parentPort) parentPort.postMessage(same);
      else process.send(same, () => process.disconnect());`,
  });
  const byOption = await runRegistered(file('main.cjs'));
  t.equal(byOption.stdout, 'worker true\nchild true\n', byOption.stderr);
  const env = { NODE_OPTIONS: `--require=${register}` };
  const byEnvironment = await run(file('main.cjs'), { env });
  t.equal(byEnvironment.stdout, 'worker true\nchild true\n', byEnvironment.stderr);
});

t.test('the package’s own name works as the option', async (t) => {
  const file = programs(t, { 'main.cjs': JSON_OF_THIS });
  for (const option of ['--require', '--import']) {
    const { stdout, stderr } = await run(file('main.cjs'), { options: [option, 'soref/register'] });
    t.match(JSON.parse(stdout || '{}'), { same: true }, `${option} in ${root} ${stderr}`);
  }
});

t.test('what this Node has otherwise than expected stays Node’s, with one warning', async (t) => {
  const file = programs(t, {
    'strange.cjs': `
      const http = require('node:http');
      const tls = require('node:tls');
      class Base extends require('node:net').Server {}
      Object.setPrototypeOf(http.Server.prototype, Base.prototype);
      delete tls.TLSSocket.prototype._wrapHandle;`,
    'main.cjs': `
      const { registered } = require('soref');
      const http = require('node:http');
      const server = http.createServer((_, response) => response.end('served')).listen(0, () =>
        http.get({ port: server.address().port }, (response) => {
          response.on('data', (data) => console.log(String(data)));
          server.close();
        }));
      console.log(registered.filter((name) => /Server$|TLS/.test(name)).join());`,
  });
  const options = ['--require', file('strange.cjs'), '--require', register];
  const { stdout, stderr } = await run(file('main.cjs'), { options });
  t.equal(
    stdout,
    'net.createServer,net.Server,tls.Server,http2.Http2Server,tls.TLSSocket.prototype.connect\nserved\n',
  );
  const warnings = stderr.match(/SOREF_REGISTER_PARTIAL.*/g);
  t.equal(warnings?.length, 1, stderr);
  t.match(warnings?.[0] ?? '', /http.Server, tls.TLSSocket/);
});

t.test('what keeps the process alive is told', async (t) => {
  const file = programs(t, {
    'main.cjs': `
      const net = require('net');
      // Before anything was written, there is no standard output or error either.
      console.log(process.getActiveResourcesInfo(), process._getActiveHandles());
      const told = () => {
        const ours = (each) => each instanceof net.Socket || each instanceof net.Server;
        const of = process._getActiveHandles().filter(ours).map((each) => each.label).filter(Boolean);
        const info = process.getActiveResourcesInfo().filter((name) => /^TCPS/.test(name));
        console.log(of.sort().join(), info.sort().join());
      };
      told();
      const server = net.createServer((peer) => {
        peer.label = 'peer';
        peer.resume();
      });
      server.label = 'server';
      server.listen(0, '127.0.0.1', () => {
        told();
        const client = net.connect(server.address().port, '127.0.0.1', () => setTimeout(() => {
          told();
          client.unref();
          told();
          client.on('close', () => setTimeout(() => { told(); server.close(); told(); }, 20)).destroy();
        }, 20));
        client.label = 'client';
      });`,
  });
  const plain = await run(file('main.cjs'));
  const registered = await runRegistered(file('main.cjs'));
  t.match(plain.stdout, /^\[\] \[\]\n/);
  t.match(plain.stdout, 'client,peer,server TCPServerWrap,TCPSocketWrap,TCPSocketWrap');
  t.equal(registered.stdout, plain.stdout, registered.stderr);
});

t.test('a socket that was given away keeps no process alive', async (t) => {
  const file = programs(t, {
    'main.cjs': `
      const net = require('net');
      const told = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap');
      const server = net.createServer((peer) => {
        const before = told().length;
        const { fd } = peer.detach();
        console.log(before - told().length);
        net.Socket.attach(fd).destroy();
        server.close();
      });
      server.listen(0, '127.0.0.1', () => {
        net.connect(server.address().port, '127.0.0.1').on('error', () => {}).resume();
      });`,
  });
  const { stdout, stderr } = await runRegistered(file('main.cjs'));
  t.equal(stdout, '1\n', stderr);
});
