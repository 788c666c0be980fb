// Connecting that does not come to its end: refused, without an answer, or given up by the program while
// the name resolves, while an attempt is under way, and between the attempts of two address families.
// Each socket has one 'close' and the right error, and nothing that it began goes on afterwards.
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import * as net from 'soref';
import t, { type Test } from 'tap';
import { hangingPort } from './hanging-listener';
import { run, shortFolder } from './programs';

// Attempts that hang take their time.
t.setTimeout(100_000);

type Lookup = NonNullable<net.TcpNetConnectOpts['lookup']>;
type Answer = (error: Error | null, found: unknown, family?: number) => void;

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const hasIPv6 = Object.values(networkInterfaces()).some((names) =>
  names?.some(({ address }) => address === '::1'),
);
/** Another address than 127.0.0.1, of the other family where this machine has it. */
const other = hasIPv6 ? { address: '::1', family: 6 } : { address: '127.0.0.2', family: 4 };
const first = { address: '127.0.0.1', family: 4 };

/** Everything that a socket tells of its connecting, in order. */
function watch(socket: net.Socket): { events: string[]; closed: Promise<unknown> } {
  const events: string[] = [];
  const note = (event: string, detail?: unknown) =>
    events.push(detail === undefined ? event : `${event} ${detail}`);
  for (const end of ['', 'Timeout', 'Failed']) {
    const event = `connectionAttempt${end}`;
    socket.on(event, (address: string) => note(event, address));
  }
  for (const event of ['connect', 'ready', 'end']) socket.on(event, () => note(event));
  socket.on('error', (error: NodeJS.ErrnoException) => note('error', error.code ?? error.message));
  socket.on('close', (hadError) => note('close', hadError));
  return { events, closed: new Promise((resolve) => socket.once('close', resolve)) };
}

/** The descriptors of this process that are sockets. */
const descriptors = () =>
  readdirSync('/proc/self/fd').filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).startsWith('socket:');
    } catch {
      return false; // The folder itself was open while it was read.
    }
  }).length;

/** Runs a test after which this process has no more sockets and descriptors than before. */
function test(name: string, body: (t: Test) => Promise<void>): void {
  t.test(name, async (t) => {
    const sockets = net.ledger().live;
    const before = descriptors();
    await t.test('', body);
    // What the test has closed may still be closing, and a process that it has ended still ending.
    for (let tries = 0; tries < 500 && descriptors() > before; tries++) await later(2);
    const { live, references, operations, attached, detached } = net.ledger();
    t.equal(live, sockets, 'no socket is left');
    t.equal(attached, detached);
    t.same(references, { consumer: 0, queue: 0, protocol: 0, operation: 0, event: 0 });
    t.equal(operations.inFlight, 0);
    t.ok(descriptors() <= before, 'no descriptor is left');
  });
}

/** A server that counts its connections, and closes with the test. */
async function serve(t: Test, host = '127.0.0.1', port = 0) {
  const counted = { connections: 0, port: 0 };
  const server = net.createServer((socket) => {
    counted.connections += 1;
    socket.on('error', () => undefined).end();
  });
  server.listen(port, host);
  await once(server, 'listening');
  counted.port = (server.address() as net.AddressInfo).port;
  t.teardown(async () => {
    server.close();
    await once(server, 'close');
  });
  return counted;
}

async function refusingPort(t: Test): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  t.ok(port);
  return port;
}

test('refused', async (t) => {
  const port = await refusingPort(t);
  const to127 = watch(net.connect(port, '127.0.0.1'));
  await to127.closed;
  t.same(to127.events, [
    'connectionAttempt 127.0.0.1',
    'connectionAttemptFailed 127.0.0.1',
    'error ECONNREFUSED',
    'close true',
  ]);
  const path = `${shortFolder()}/nobody`;
  const toPath = watch(net.connect(path));
  await toPath.closed;
  t.same(toPath.events.slice(-2), ['error ENOENT', 'close true']);
  // Whatever was asked for meanwhile is answered once.
  const writer = net.connect(port, '127.0.0.1');
  const written = watch(writer);
  const answers: string[] = [];
  writer.write('unsent', (error) => answers.push(`write ${(error as NodeJS.ErrnoException).code}`));
  writer.end(() => answers.push('end'));
  await written.closed;
  await later(1);
  t.match(answers[0], /^write /);
  t.equal(answers.filter((answer) => answer.startsWith('write')).length, 1);
  t.equal(written.events.filter((event) => event.startsWith('close')).length, 1);
});

test('without an answer until the kernel gives up', async (t) => {
  const port = await hangingPort(t, '127.0.0.1');
  // The kernel's patience with this socket, tcp(7) TCP_USER_TIMEOUT, is a tenth of a second.
  const folder = t.testdir({
    'impatient.py': `
import os, socket, sys
connecting = socket.socket()
connecting.setsockopt(socket.IPPROTO_TCP, 18, 100)
os.set_inheritable(connecting.fileno(), True)
os.execvp(sys.argv[1], [*sys.argv[1:], str(connecting.fileno())])`,
    'program.cjs': `
const net = require('soref');
const socket = new net.Socket({ fd: Number(process.argv[3]), pauseOnCreate: true });
const events = [];
let turns = 0;
const timer = setInterval(() => turns++, 5);
socket.connect(Number(process.argv[2]), '127.0.0.1');
for (const event of ['connect', 'end', 'timeout']) socket.on(event, () => events.push(event));
socket.on('error', ({ message }) => events.push(message));
socket.on('close', (hadError) => {
  events.push(hadError);
  clearInterval(timer);
  setImmediate(() => {
    const { live, descriptors, references } = net.ledger();
    console.log(JSON.stringify({ events, live, descriptors, references, went: turns > 3 }));
  });
});`,
  });
  const { stdout, stderr } = await run(`${folder}/program.cjs`, {
    launcher: ['python3', `${folder}/impatient.py`],
    args: [String(port)],
  });
  t.same(
    JSON.parse(stdout || '{}'),
    {
      events: [`connect ETIMEDOUT 127.0.0.1:${port}`, true],
      live: 0,
      descriptors: 0,
      references: { consumer: 0, queue: 0, protocol: 0, operation: 0, event: 0 },
      // The loop goes on meanwhile, though the descriptor came in blocking mode.
      went: true,
    },
    stderr,
  );
});

test('given up while the attempt hangs', async (t) => {
  const port = await hangingPort(t, '127.0.0.1');
  const ways: Record<string, (socket: net.Socket) => void> = {
    'at once': (socket) => socket.destroy(),
    'in a tick': (socket) => process.nextTick(() => socket.destroy()),
    'in a microtask': (socket) => queueMicrotask(() => socket.destroy()),
    'in the next turn': (socket) => setImmediate(() => socket.destroy()),
    'a little later': (socket) => setTimeout(() => socket.destroy(), 5),
    'in its first attempt': (socket) => socket.on('connectionAttempt', () => socket.destroy()),
    'by a timeout': (socket) => socket.setTimeout(5, () => socket.destroy()),
    'after writes and an end': (socket) => {
      socket.end('unsent');
      setImmediate(() => socket.destroy());
    },
  };
  for (const [name, giveUp] of Object.entries(ways)) {
    const socket = net.connect(port, '127.0.0.1');
    const { events, closed } = watch(socket);
    giveUp(socket);
    await closed;
    await later(2);
    const told = events.filter((event) => !event.startsWith('connectionAttempt '));
    t.same(told, ['close false'], name);
  }
  const socket = net.connect(port, '127.0.0.1');
  const { events, closed } = watch(socket);
  setImmediate(() => socket.destroy(new Error('changed its mind')));
  await closed;
  t.same(events.slice(1), ['error changed its mind', 'close true']);
  const controller = new AbortController();
  const aborted = net.connect({ port, host: '127.0.0.1', signal: controller.signal } as never);
  const abortion = watch(aborted);
  setImmediate(() => controller.abort());
  await abortion.closed;
  t.same(abortion.events.slice(1), ['error ABORT_ERR', 'close true']);
});

/** A lookup that answers when it is told to. */
function lateLookup(): { lookup: Lookup; answer: Answer } {
  let callback: Answer | undefined;
  return {
    lookup: ((_host: string, _options: object, done: Answer) => {
      callback = done;
    }) as never,
    answer: (...found) => callback?.(...found),
  };
}

test('given up while the name resolves', async (t) => {
  const server = await serve(t);
  const answers: Record<string, [autoSelectFamily: boolean, ...Parameters<Answer>]> = {
    'one address': [false, null, first.address, first.family],
    'two addresses': [true, null, [first, other]],
    'one of several': [true, null, [first]],
    'an error': [false, new Error('no such name'), undefined, undefined],
    'an error for all': [true, new Error('no such name'), undefined],
  };
  for (const [name, [autoSelectFamily, ...found]] of Object.entries(answers)) {
    const { lookup, answer } = lateLookup();
    const { port } = server;
    const socket = net.connect({ host: 'late.example', port, lookup, autoSelectFamily } as never);
    const { events, closed } = watch(socket);
    socket.destroy();
    await closed;
    answer(...found);
    await later(2);
    t.same(events, ['close false'], name);
    t.equal(socket.destroyed, true);
  }
  t.equal(server.connections, 0);
});

test('an answer for a connection that was given up does not touch the next one', async (t) => {
  const left = await serve(t);
  const right = await serve(t, '127.0.0.1');
  for (const autoSelectFamily of [false, true]) {
    for (const error of [null, new Error('no such name')]) {
      const { lookup, answer } = lateLookup();
      const options = { host: 'late.example', port: left.port, lookup, autoSelectFamily };
      const socket = net.connect(options as never);
      socket.destroy();
      await once(socket, 'close');
      const hanging = lateLookup();
      const next = { host: 'right.example', port: right.port, autoSelectFamily: true };
      socket.connect({ ...next, lookup: hanging.lookup } as never);
      if (autoSelectFamily) answer(error, [first, other]);
      else answer(error, first.address, first.family);
      await later(2);
      const { events, closed } = watch(socket);
      hanging.answer(null, [first]);
      socket.resume();
      await closed;
      t.same(events.at(-1), 'close false');
      t.ok(events.includes('connect'));
    }
  }
  // An address needs no answer, and still it is the second connect() that counts.
  const socket = net.connect(left.port, '127.0.0.1').destroy();
  await new Promise(process.nextTick);
  socket.connect(right.port, '127.0.0.1').resume();
  await once(socket, 'connect');
  t.equal(socket.remotePort, right.port);
  await once(socket, 'end');
  while (net.inspect(socket)) await later(1);
  await later(2);
  t.same([left.connections, right.connections], [0, 5]);
});

test('given up in the race of two addresses', async (t) => {
  // The first address hangs; the second one has a server on the same port, or hangs too.
  const port = await hangingPort(t, other.address);
  const server = await serve(t, first.address, port);
  const lookup = ((_host: string, _options: object, done: Answer) =>
    process.nextTick(done, null, [other, first])) as never;
  const race = (options: object = {}) =>
    net.connect({
      host: 'two.example',
      port,
      lookup,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: 20,
      ...options,
    } as never);

  const moments: Record<string, (socket: net.Socket, end: () => void) => void> = {
    'at its first address': (socket, end) => socket.once('lookup', end),
    'at its second address': (socket, end) => {
      socket.once('lookup', () => socket.once('lookup', end));
    },
    'at the first attempt': (socket, end) => socket.once('connectionAttempt', end),
    'while the first attempt hangs': (_socket, end) => setTimeout(end, 8),
    'when the first attempt has had its time': (socket, end) => {
      socket.once('connectionAttemptTimeout', end);
    },
    'at the second attempt': (socket, end) => {
      socket.once('connectionAttempt', () => socket.once('connectionAttempt', end));
    },
    'while the second attempt is under way': (socket, end) => {
      socket.once('connectionAttemptTimeout', () => queueMicrotask(end));
    },
  };
  for (const [name, at] of Object.entries(moments)) {
    const socket = race();
    const { events, closed } = watch(socket);
    at(socket, () => socket.destroy());
    await closed;
    const told = events.length;
    // No attempt, and no time-out of an attempt, comes after the end.
    await later(50);
    t.equal(events.length, told, name);
    t.equal(events.filter((event) => event.startsWith('close')).length, 1, name);
    t.notOk(events.includes('connect'), name);
    t.notOk(
      events.some((event) => event.startsWith('error')),
      name,
    );
    t.equal(events.at(-1), 'close false', name);
  }
  // Its only connection was destroyed before it stood.
  t.ok(server.connections <= 1);

  const again = race();
  again.once('connectionAttemptTimeout', () => {
    again.destroy();
    process.nextTick(() => again.connect(port, first.address).resume());
  });
  await once(again, 'connect');
  t.equal(again.remoteAddress, first.address);
  await once(again, 'end');
  while (net.inspect(again)) await later(1);
});

test('given up in a race that nobody can win', async (t) => {
  const port = await hangingPort(t, other.address);
  // There is a server on this port at one address; at the third address of the loopback is none.
  const found = [other, { address: '127.0.0.3', family: 4 }];
  const socket = net.connect({
    host: 'two.example',
    port,
    lookup: (_host: string, _options: object, done: Answer) => process.nextTick(done, null, found),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 15,
  } as never);
  const { events, closed } = watch(socket);
  await closed;
  t.same(events, [
    `connectionAttempt ${other.address}`,
    `connectionAttemptTimeout ${other.address}`,
    'connectionAttempt 127.0.0.3',
    'connectionAttemptFailed 127.0.0.3',
    'error ETIMEDOUT',
    'close true',
  ]);
});
