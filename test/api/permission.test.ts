// Node's permission model: what it refuses to node:net it refuses to soref, with the same errors; where it lets no
// addon in, node:net serves. Nodes before 26 know no permission for the network, and refuse nothing.
import t from 'tap';
import { onBothNets } from './both-nets';
import { register, run } from './programs';

const major = Number(process.versions.node.split('.')[0]);
const MODEL = major > 20 ? '--permission' : '--experimental-permission';
const HAS_NET = process.allowedNodeEnvironmentFlags.has('--allow-net');
const FILES = ['--allow-fs-read=*', '--allow-fs-write=*', '--no-warnings'];
const WITHOUT_NET = [MODEL, '--allow-addons', ...FILES];

// All that there is to see: what is called in this turn and later, and what the model's own channel says.
const WATCH = `
const shown = (error) => ['name', 'message', 'code', 'errno', 'syscall', 'address', 'port', 'permission', 'resource']
  .map((key) => key + '=' + JSON.stringify(error[key])).join(' ') + ' ' + Object.keys(error) +
  (error.errors ?? []).map((each) => ' [' + shown(each) + ']');
require('node:diagnostics_channel').subscribe('node:permission-model:net',
  ({ permission, resource }) => log('channel', permission, JSON.stringify(resource)));
process.on('uncaughtException', (error) => { log('uncaught', shown(error)); });
function watch(emitter) {
  const { emit } = emitter;
  emitter.emit = function (event, ...values) {
    log(event, ...values.map((value) => value instanceof Error ? shown(value) : String(value)));
    return emit.call(this, event, ...values);
  };
  return emitter.on('error', () => {});
}
const attempt = (what, call) => {
  try { call(); log(what, 'returned'); } catch (error) { log(what, 'threw', shown(error)); }
};
const path = require('node:path').join(folder, 'permission');
const knownHost = (...addresses) => ({
  host: 'name', port: 1, lookup: (host, { all }, done) => all
    ? done(null, addresses.map((address) => ({ address, family: net.isIP(address) })))
    : done(null, addresses[0], net.isIP(addresses[0])),
});
const connect = (...options) => attempt('connect', () => {
  const socket = watch(new net.Socket());
  socket.connect(...options);
  // Where it is permitted, nobody listens; or somebody does.
  socket.on('connect', () => socket.destroy());
});
const listen = (...options) => attempt('listen', () => {
  const server = watch(net.createServer());
  server.on('listening', () => server.close()).listen(...options);
  process.on('exit', () => log('listens', server.listening));
});
`;

const USES = `
connect(1, '127.0.0.1');
connect(1, '::1');
connect({ port: 1, host: '127.0.0.1', localAddress: '127.0.0.2' });
connect({ path });
connect(knownHost('127.0.0.1'));
connect(knownHost('127.0.0.1', '::1'));
connect({ ...knownHost('127.0.0.1', '::1'), localPort: 4567 });
listen(0, '127.0.0.1');
listen(0);
listen(path);
listen({ port: 0, host: '127.0.0.1', exclusive: true });
`;

t.test('the network is not permitted', async (t) => {
  const program = `${WATCH}
    (async () => {
      for (const use of ${JSON.stringify(USES)}.trim().split('\\n')) {
        log(use);
        eval(use);
        await new Promise((done) => setTimeout(done, 100));
      }
    })();`;
  const { stdout } = await onBothNets(t, program, { options: WITHOUT_NET });
  const refusals = stdout.match(/"ERR_ACCESS_DENIED"/g)?.length ?? 0;
  t.equal(refusals >= 11, HAS_NET);
});

t.test('the network is permitted, and the permission is dropped', async (t) => {
  const { stdout } = await onBothNets(
    t,
    // soref asks Node with a path of its own whether it refuses, once, and the channel tells of that.
    `${WATCH.replace('=> log(', `=> resource === '/' || log(`)}
    const server = net.createServer((peer) => peer.resume().end('served'));
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      const first = net.connect(port, '127.0.0.1').on('data', (data) => {
        log('client got', data);
        process.permission.drop?.('net');
        const second = watch(net.connect({ port: 1, host: '127.0.0.1' }));
        second.on('close', () => server.close(() => { attempt('listen', () => server.listen(path)); server.close(); }));
      });
    });`,
    { options: HAS_NET ? [...WITHOUT_NET, '--allow-net'] : WITHOUT_NET },
  );
  t.match(stdout, /client got served/);
  t.match(stdout, HAS_NET ? /listen threw .*"ERR_ACCESS_DENIED"/ : /listen returned/);
});

if (HAS_NET) {
  t.test('an audit refuses nothing', async (t) => {
    const options = ['--permission-audit', ...FILES];
    const { stdout } = await onBothNets(t, `${WATCH} connect(1, '127.0.0.1');`, { options });
    t.match(stdout, /channel Net "127.0.0.1"\n/);
    t.match(stdout, /ECONNREFUSED/);
  });
}

t.test('without --allow-addons node:net serves', async (t) => {
  const file = `${t.testdir({
    'program.cjs': `
      const soref = require('soref');
      console.log(soref.engine, soref.Socket === require('node:net').Socket, soref.registered.length);
      soref.connect({ port: 1, host: '127.0.0.1' }).on('error', ({ code }) => console.log(code));`,
  })}/program.cjs`;
  const options = [MODEL, '--allow-fs-read=*'];
  const env = { SOREF_ENGINE: '' };
  const refused = HAS_NET ? 'ERR_ACCESS_DENIED' : 'ECONNREFUSED';
  for (const more of [[], ['--require', register]]) {
    const { status, stdout, stderr } = await run(file, { options: [...options, ...more], env });
    t.equal(stdout, `node true 0\n${refused}\n`);
    t.match(stderr, /SorefWarning: soref cannot load its addon.*addon/);
    t.equal(status, 0);
  }
});

t.test('servers and clients of HTTP are refused too', async (t) => {
  const file = `${t.testdir({
    'program.cjs': `
      const http = require('node:http');
      console.log(require('soref').engine !== 'node', require('soref').registered.length > 0);
      const told = (what) => (error) => console.log(what, error.code, error.permission);
      process.on('uncaughtException', told('listen'));
      const server = http.createServer().listen(0, '127.0.0.1', () => { console.log('listen'); server.close(); });
      http.get('http://127.0.0.1:1/').on('error', told('get'));
      fetch('http://127.0.0.1:4/').catch(({ cause }) => told('fetch')(cause));`,
  })}/program.cjs`;
  const { stdout } = await run(file, { options: [...WITHOUT_NET, '--require', register] });
  const [first, ...others] = stdout.trim().split('\n');
  t.equal(first, 'true true');
  t.strictSame(
    others.sort(),
    HAS_NET
      ? [
          'fetch ERR_ACCESS_DENIED undefined',
          'get ERR_ACCESS_DENIED undefined',
          'listen ERR_ACCESS_DENIED Net',
        ]
      : ['fetch ECONNREFUSED undefined', 'get ECONNREFUSED undefined', 'listen'],
  );
});
