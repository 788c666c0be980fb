// In which asynchronous context a callback runs, and what async hooks and domains see of sockets: each program prints
// on soref what it prints on node:net.
import t from 'tap';
import { onBothNets } from './both-nets';

t.test('every callback runs in its own asynchronous context', async (t) => {
  const node = await onBothNets(
    t,
    `const { AsyncLocalStorage } = require('node:async_hooks');
    const storage = new AsyncLocalStorage();
    const contexts = new Map();
    const note = (what) => () => {
      const all = contexts.get(what) ?? [];
      contexts.set(what, all);
      all.push(storage.getStore() ?? 'none');
    };
    const path = require('node:path').join(folder, 'contexts');
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

// A lane for each resource that belongs to a socket, named by what it is: what async hooks tell of it, and which
// callbacks of the program it runs. Between two lanes the kernel decides who is first.
const LANES = `
const { createHook, executionAsyncId, triggerAsyncId } = require('node:async_hooks');
// These have resources of their own, made when they are first asked for.
void [process.stdout, process.stderr];
const lanes = new Map();
const names = new Map();
const counts = new Map();
const alive = new Set();
const OF_SOCKETS = /^(TCP|PIPE|SHUTDOWN|WRITE)/;
const nameOf = (id) => names.get(id) ?? 'the program';
function write(id, line) {
  const name = nameOf(id);
  if (!lanes.has(name)) lanes.set(name, []);
  lanes.get(name).push(line);
}
/** An accepted socket is told from a client by what triggered it. */
function nameFor(type, trigger) {
  const name = OF_SOCKETS.test(nameOf(trigger)) ? type + ' of ' + nameOf(trigger) : type;
  counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts.get(name) === 1 ? name : name + ' ' + counts.get(name);
}
const hook = createHook({
  init(id, type, trigger) {
    if (!OF_SOCKETS.test(type)) return;
    names.set(id, nameFor(type, trigger));
    alive.add(id);
    // An accepted socket is made outside of all contexts.
    write(id, executionAsyncId() === 0 ? 'init outside' : 'init');
  },
  before(id) { if (names.has(id)) write(id, 'before'); },
  after(id) { if (names.has(id)) write(id, 'after'); },
  destroy(id) { alive.delete(id); },
}).enable();
/** A callback of the program, in the lane of what runs it, or else of what triggered that. */
function called(what) {
  const id = names.has(executionAsyncId()) ? executionAsyncId() : triggerAsyncId();
  write(id, id === executionAsyncId() ? what : what + ', in a tick');
}
function watch(who, emitter, events) {
  for (const event of events) emitter.on(event, () => called(who + ' ' + event));
  return emitter;
}
const OF_SOCKET = ['connectionAttempt', 'connect', 'ready', 'data', 'end', 'finish', 'drain', 'close', 'error'];
const OF_SERVER = ['listening', 'connection', 'close', 'error'];
async function report(of = /./) {
  for (let turn = 0; turn < 100 && alive.size > 0; turn++) await new Promise((done) => setTimeout(done, 10));
  hook.disable();
  for (const [name, lines] of [...lanes].sort()) if (of.test(name)) log(name + ': ' + lines.join(', '));
  log('alive:' + [...alive].map(nameOf));
}
`;

const PLACES = {
  TCP: "{ host: '127.0.0.1', port: 0 }",
  'a path': "{ path: require('node:path').join(folder, 'lanes') }",
};

for (const [title, place] of Object.entries(PLACES)) {
  t.test(`async hooks on ${title}`, async (t) => {
    const node = await onBothNets(
      t,
      `${LANES}
      (async () => {
        const place = ${place};
        const server = watch('server', net.createServer(), OF_SERVER);
        server.on('connection', (peer) => {
          watch('peer', peer, OF_SOCKET);
          peer.on('data', () => peer.write('pong', () => called('peer written')));
        });
        server.listen(place, () => called('server listen callback'));
        await once(server, 'listening');
        const target = place.path ? place : { ...place, port: server.address().port };
        const client = watch('client', net.connect(target, () => called('client callback')), OF_SOCKET);
        await once(client, 'connect');
        client.write('ping', () => called('client written'));
        await once(client, 'data');
        client.end(() => called('client ended'));
        await once(client, 'close');
        server.close(() => called('server close callback'));
        await once(server, 'close');
        // Nobody listens there now.
        const refused = watch('refused', net.connect(target), OF_SOCKET);
        refused.on('error', () => {});
        await new Promise((done) => refused.on('close', done));
        await report();
      })();`,
    );
    const lines = node.stdout.trim().split('\n');
    const wrap = title === 'TCP' ? 'TCP' : 'PIPE';
    t.ok(lines.length > 7, 'two handles, a server and their requests');
    t.match(
      node.stdout,
      new RegExp(`^${wrap}CONNECTWRAP of ${wrap}WRAP: init, before, client`, 'm'),
    );
    t.match(node.stdout, new RegExp(`^${wrap}WRAP of ${wrap}SERVERWRAP: init outside, `, 'm'));
    t.match(node.stdout, new RegExp(`^SHUTDOWNWRAP of ${wrap}WRAP: init, before`, 'm'));
    t.equal(lines.at(-1), 'alive:');
  });
}

t.test('async hooks on writes that take long, and sockets that are destroyed', async (t) => {
  const node = await onBothNets(
    t,
    `${LANES}
    (async () => {
      const { server, clients: [client, second], sockets: [peer, other] } = await connections(2);
      for (const socket of [peer, other]) socket.pause();
      client.write(Buffer.alloc(16 << 20), () => called('written'));
      peer.resume();
      client.end();
      peer.end();
      await once(client, 'close');
      second.write(Buffer.alloc(16 << 20), () => called('broken off'));
      second.destroy();
      other.destroy();
      server.close();
      await once(server, 'close');
      // How many pieces were read, and so how often the handles were entered, is the kernel's affair.
      await report(/^(WRITE|SHUTDOWN)/);
    })();`,
  );
  t.match(node.stdout, /^WRITEWRAP of TCPWRAP: init, before, .*after/m);
  t.match(node.stdout, /^alive:$/m);
});

t.test('the resource of a socket is one object', async (t) => {
  const node = await onBothNets(
    t,
    `const { createHook, executionAsyncResource } = require('node:async_hooks');
    createHook({ init() {} }).enable();
    (async () => {
      const { server, clients: [client], sockets: [peer] } = await connections(1);
      const kept = Symbol('kept');
      const seen = new Set();
      client.on('data', (data) => {
        const resource = executionAsyncResource();
        log(String(data), resource[kept], resource === client._handle);
        resource[kept] = String(data);
        seen.add(resource);
        peer.write(String(+data + 1));
        if (+data === 3) client.destroy();
      });
      client.on('close', () => {
        log('resources', seen.size, executionAsyncResource()[kept]);
        server.close();
      });
      peer.resume().write('1');
    })();`,
  );
  t.match(node.stdout, /2 1 true\n3 2 true\nresources 1 3/);
});

t.test('domains', async (t) => {
  const node = await onBothNets(
    t,
    `const domain = require('node:domain');
    // As in the REPL, where every builtin is a global.
    globalThis.domain = domain;
    // Who of two sockets hears first is the kernel's affair.
    const lanes = { server: [], client: [], peer: [] };
    const say = (who, ...what) => lanes[who].push([...what, 'in', process.domain?.name].join(' '));
    const made = (name) => {
      const one = domain.create();
      one.name = name;
      one.on('error', (error) => say(name, 'domain has', error.message, error.domainThrown));
      return one;
    };
    const serverDomain = made('server');
    const clientDomain = made('client');
    (async () => {
      const server = serverDomain.run(() => net.createServer((peer) => {
        say('server', 'connection', peer.domain?.name);
        peer.on('data', (data) => {
          say('peer', 'data');
          peer.write('pong');
          throw new Error('of the peer');
        });
        peer.on('close', () => say('peer', 'close'));
        peer.on('error', () => {});
      }).listen(0, '127.0.0.1'));
      say('server', 'made', server.domain?.name);
      await once(server, 'listening');
      const client = clientDomain.run(() => net.connect(server.address().port, '127.0.0.1'));
      say('client', 'made', client.domain?.name);
      await once(client, 'connect');
      client.write('ping', () => say('client', 'written'));
      const got = once(client, 'data');
      client.on('data', () => { say('client', 'data'); throw new Error('of the client'); });
      await got;
      await new Promise((done) => setTimeout(done, 20));
      // Nobody listens to this socket's errors but its domain.
      client.destroy(new Error('of destroy'));
      await new Promise((done) => client.on('close', () => { say('client', 'close'); done(); }));
      server.close(() => say('server', 'close'));
      await once(server, 'close');
      const refused = clientDomain.run(() => net.connect({ port: 1, host: '127.0.0.1' }));
      await new Promise((done) => refused.on('close', done));
      say('client', 'left');
    })();
    process.on('exit', () => log(JSON.stringify(lanes, null, 1)));`,
  );
  t.match(node.stdout, /"domain has of the peer true in /);
  t.match(node.stdout, /"domain has of destroy false in /);
  t.match(node.stdout, /"domain has connect ECONNREFUSED/);
  t.match(node.stdout, /"close in server"/);
});
