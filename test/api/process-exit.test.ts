// The end of a process: what was written still leaves, and what keeps the process alive is what
// keeps it alive with node:net. Each program is run on both.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { type Ending, run, shortFolder } from './programs';

const START = `
const net = require(process.argv[2]);
const port = Number(process.argv[3]);
const toPeer = (options = {}) => net.connect({ port, host: '127.0.0.1', ...options });
/** Fires only in a process that something else keeps alive. */
const reportLife = () => setTimeout(() => { console.log('alive'); process.exit(); }, 300).unref();
`;

/** Listens with Node's own net: the peer of what is tested. */
async function listen(t: Test, serve: (socket: Socket) => void): Promise<Server> {
  const server = createServer(serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return server;
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

async function onBoth(t: Test, program: string, port: number): Promise<[Ending, Ending]> {
  const file = `${t.testdir({ 'program.cjs': START + program })}/program.cjs`;
  const runOn = (net: string) => run(file, { args: [net, String(port)] });
  return Promise.all([runOn('node:net'), runOn('soref')]);
}

const lastWords: Record<string, string> = {
  'process.exit() after a write': `
    toPeer().on('connect', function () { this.write('last words'); process.exit(); });`,
  'process.exit() after end': `
    toPeer().on('connect', function () { this.end('last words'); process.exit(); });`,
  'process.exit() after destroy': `
    toPeer().on('connect', function () { this.write('last words'); this.destroy(); process.exit(); });`,
  'process.exit() after several writes': `
    toPeer().on('connect', function () {
      for (const letter of 'last words') this.write(letter);
      process.exit();
    });`,
  'process.exit() after a corked write': `
    toPeer().on('connect', function () {
      this.cork(); this.write('last '); this.write('words'); this.uncork(); process.exit();
    });`,
  'a write in an exit listener': `
    const socket = toPeer().on('connect', () => process.exit());
    process.on('exit', () => socket.write('last words'));`,
  'writes before and in an exit listener': `
    const socket = toPeer().on('connect', () => { socket.write('last '); process.exit(); });
    process.on('exit', () => socket.write('words'));`,
  'an exit listener when nothing is left to do': `
    const socket = toPeer().on('connect', () => socket.unref());
    process.on('exit', () => socket.end('last words'));`,
  'an uncaught exception after a write': `
    toPeer().on('connect', function () { this.write('last words'); throw new Error('over'); });`,
  'process.exit() in a write’s callback': `
    toPeer().on('connect', function () { this.write('last words', () => process.exit()); });`,
};

for (const [name, program] of Object.entries(lastWords)) {
  t.test(name, async (t) => {
    const heard: string[] = [];
    const server = await listen(t, (socket) => {
      const index = heard.push('') - 1;
      socket.setEncoding('utf8').on('data', (text) => {
        heard[index] = `${heard[index]}${text}`;
      });
      socket.on('error', (error) => heard.push(error.message));
    });
    const [node, soref] = await onBoth(t, program, portOf(server));
    const closing = once(server, 'close');
    server.close();
    await closing;
    t.same(heard, ['last words', 'last words']);
    t.equal(soref.status, node.status);
  });
}

t.test('a server’s socket too', async (t) => {
  const program = `
    net.createServer((socket) => { socket.write('last words'); process.exit(); })
      .listen(0, '127.0.0.1', function () {
        toPeer().end(String(this.address().port));
      });`;
  const heard: string[] = [];
  const closes: Promise<unknown>[] = [];
  const server = await listen(t, (socket) => {
    socket.setEncoding('utf8').once('data', (port) => {
      const client = connect(Number(port), '127.0.0.1').setEncoding('utf8');
      closes.push(once(client, 'close'));
      client.on('data', (text) => heard.push(String(text)));
    });
  });
  await onBoth(t, program, portOf(server));
  await Promise.all(closes);
  t.same(heard, ['last words', 'last words']);
});

/** Programs, and whether something in them keeps the process alive. */
const lives: [name: string, program: string, alive: boolean][] = [
  ['an unreferenced socket', `toPeer().on('connect', function () { this.unref(); });`, false],
  ['one unreferenced before it reads', `toPeer().unref().resume();`, false],
  ['a socket that reads', `toPeer().resume();`, true],
  ['a socket that is referenced again', `toPeer().unref().ref().resume();`, true],
  ['a socket that was paused', `toPeer().on('connect', function () { this.pause(); });`, false],
  ['an unreferenced server', `net.createServer().listen(0, '127.0.0.1').unref();`, false],
  ['a server', `net.createServer().listen(0, '127.0.0.1');`, true],
  [
    'both ends unreferenced',
    `const server = net.createServer((socket) => socket.unref()).listen(0, '127.0.0.1', () => {
      net.connect(server.address().port, '127.0.0.1', function () { this.unref(); server.unref(); });
    });`,
    false,
  ],
  ['a socket that never connected', `new net.Socket();`, false],
  ['a socket with a timeout', `toPeer().unref().setTimeout(100_000);`, false],
  [
    'a closed server with an open connection',
    `const server = net.createServer((socket) => server.close()).listen(0, '127.0.0.1', () => {
      net.connect(server.address().port, '127.0.0.1').unref();
    });`,
    true,
  ],
  [
    'a half-open socket whose peer has ended',
    `const server = net.createServer((socket) => socket.unref().end()).listen(0, '127.0.0.1', () => {
      server.unref();
      net.connect({ port: server.address().port, host: '127.0.0.1', allowHalfOpen: true }).resume();
    });`,
    false,
  ],
  [
    'an unreferenced socket with a write under way',
    `const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1', () => {
      server.unref();
      net.connect(server.address().port, '127.0.0.1').unref().write(Buffer.alloc(64 * 2 ** 20));
    });`,
    true,
  ],
];

for (const [name, program, alive] of lives) {
  t.test(`${name} ${alive ? 'keeps' : 'does not keep'} the process`, async (t) => {
    const server = await listen(t, (socket) => socket.on('error', () => undefined).resume());
    const [node, soref] = await onBoth(t, `${program}\nreportLife();`, portOf(server));
    t.equal(node.stdout, alive ? 'alive\n' : '');
    t.equal(soref.stdout, node.stdout, soref.stderr);
    t.equal(soref.status, 0);
  });
}

t.test('a connect under way keeps the process, unreferenced or not', async (t) => {
  // Nobody accepts, and there is room for very few: further connects stay without an answer.
  const blocked = await run(
    `${t.testdir({
      'blocked.cjs': `
      const { spawnSync } = require('node:child_process');
      const net = require('node:net');
      const server = net.createServer().listen(0, '127.0.0.1', 1, () => {
        const { port } = server.address();
        for (let i = 0; i < 8; i++) net.connect(port, '127.0.0.1');
        // Accepting needs this process's loop, which stands still from here.
        process.nextTick(() => {
          const results = {};
          for (const net of ['node:net', 'soref']) for (const call of ['ref', 'unref', 'resume']) {
            const program = \`
              const socket = require('\${net}').connect(\${port}, '127.0.0.1').on('error', () => {});
              socket.\${call}();
              setTimeout(() => { console.log('alive', socket.connecting); process.exit(); }, 300).unref();\`;
            const { stdout, stderr } = spawnSync(process.execPath, ['-e', program]);
            results[net + ' ' + call] = stdout.toString() + stderr;
          }
          console.log(JSON.stringify(results));
          process.exit();
        });
      });`,
    })}/blocked.cjs`,
  );
  const expected: Record<string, string> = {};
  for (const net of ['node:net', 'soref']) {
    for (const call of ['ref', 'unref', 'resume']) expected[`${net} ${call}`] = 'alive true\n';
  }
  t.same(JSON.parse(blocked.stdout || blocked.stderr), expected);
});

/** Programs that fill the kernel's buffers and have nothing else to wait for. */
const fills: Record<string, string> = {
  'what was taken in earlier turns': `
    const socket = net.connect(path, function step() {
      socket.pause();
      for (let i = 0; i < 4; i++) socket.write(Buffer.alloc(15_000));
      const turns = (left, then) => setImmediate(left === 0 ? then : () => turns(left - 1, then));
      turns(3, () => (socket.writableLength + socket._handle.writeQueueSize > 0 ? socket.unref() : step()));
    });`,
  'what was taken in the last turn': `
    const socket = net.connect(path, () => {
      socket.pause();
      let steps = 0;
      const step = () => {
        for (let i = 0; i < 4; i++) socket.write(Buffer.alloc(15_000));
        if (++steps < 4) setImmediate(() => setImmediate(step));
      };
      step();
    });`,
};

for (const [name, program] of Object.entries(fills)) {
  t.test(`${name} keeps the process until it has left`, async (t) => {
    const path = `${shortFolder()}/peer`;
    const file = `${t.testdir({
      'program.cjs': `
        const net = require(process.argv[2]);
        const path = process.argv[3];
        ${program}
        process.on('exit', () => console.log(socket.bytesWritten));`,
    })}/program.cjs`;
    for (const net of ['node:net', 'soref']) {
      const server = createServer({ pauseOnConnect: true }).listen(path);
      await once(server, 'listening');
      const accepted = once(server, 'connection');
      const ending = run(file, { args: [net, path] });
      const [peer] = (await accepted) as [Socket];
      let bytes = 0;
      peer.on('data', (data) => {
        bytes += data.length;
      });
      setTimeout(() => peer.resume(), 500);
      await once(peer, 'end');
      t.equal((await ending).stdout, `${bytes}\n`, net);
      peer.destroy();
      server.close();
      await once(server, 'close');
    }
  });
}

t.test('an unreferenced socket that answers a peer who never pauses', async (t) => {
  const server = await listen(t, (socket) => {
    const portion = Buffer.alloc(64 * 1024);
    const flood = () => {
      while (socket.write(portion));
    };
    socket.on('error', () => undefined).on('drain', flood);
    socket.resume();
    flood();
  });
  const program = `
    let times = 0;
    process.on('beforeExit', () => times++).on('exit', () => console.log(times));
    const socket = toPeer().on('data', () => socket.write('more'));
    setTimeout(() => socket.unref(), 200);`;
  const [node, soref] = await onBoth(t, program, portOf(server));
  t.equal(node.stdout, '1\n');
  t.equal(soref.stdout, node.stdout);
});
