// Proves that the tarball works where it is installed: in an empty folder, without install scripts,
// with every Node that is there; with register; and without a binary. `--node=PATH` (repeatable) adds
// a Node to try; --lines=22,24,26 fetches those from npm. Last line: `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main, output, run, step } from './processes.mjs';
import { setup } from './setup.mjs';

const RUN_TIMEOUT = 30_000; // milliseconds

/** An echo server and its client. Prints what the checks compare. */
const ECHO = `
  server.listen(0, '127.0.0.1', () => {
    const client = net.connect(server.address().port, '127.0.0.1');
    let echoed = '';
    client.setEncoding('utf8').on('data', (text) => (echoed += text));
    client.on('close', () => server.close(() => console.log('echoed ' + echoed)));
    client.end('hello');
  });`;
const SERVER = 'const server = net.createServer((socket) => socket.pipe(socket));';
const PROGRAMS = {
  'require.cjs': `const net = require('soref'); ${SERVER} ${ECHO}
    process.on('exit', () => {
      const { attached, detached, live } = net.ledger();
      console.log(net.engine, attached === detached && live === 0 ? 'balanced' : 'UNBALANCED', attached);
    });`,
  'import.mjs': `import net, { createServer, engine } from 'soref';
    import * as names from 'soref';
    import nodeNet from 'node:net';
    for (const name of Object.keys(nodeNet)) {
      if (!name.startsWith('_') && !(name in names)) throw new Error(name + ' is no named export');
    }
    const server = createServer((socket) => socket.pipe(socket)); ${ECHO}
    if (engine !== net.engine) throw new Error('two engines');`,
  'plain.cjs': `const net = require('net'); ${SERVER} ${ECHO}
    console.log(net.createServer === require('soref').createServer ? 'hooked' : 'plain');`,
};

/** Runs a program in a folder; a signal or a time-out shows as a status that is not 0. */
function runNode(node, folder, args, env = {}) {
  return spawnSync(node, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', SOREF_ENGINE: 'auto', ...env },
    timeout: RUN_TIMEOUT,
    killSignal: 'SIGKILL',
  });
}

function pack(folder) {
  step('Packing');
  run('npm', ['pack', '--pack-destination', folder, '--loglevel', 'error']);
  const name = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  if (!name) throw new Error('npm pack made no tarball');
  return join(folder, name);
}

function install(folder, tarball) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const quiet = ['--no-audit', '--no-fund', '--loglevel', 'error'];
  run('npm', ['install', '--ignore-scripts', ...quiet, tarball], { cwd: folder });
  for (const [name, text] of Object.entries(PROGRAMS)) writeFileSync(join(folder, name), text);
}

/** Node's own binaries as npm packages, which need no install script. */
function fetchNodes(folder, lines) {
  return lines.map((line) => {
    const prefix = join(folder, `node-${line}`);
    mkdirSync(prefix);
    step(`Fetching Node ${line}`);
    const quiet = ['--no-audit', '--no-fund', '--loglevel', 'error'];
    const name = `node-linux-${process.arch}@${line}`;
    run('npm', ['install', '--ignore-scripts', ...quiet, '--prefix', prefix, name], {
      cwd: prefix,
    });
    return join(prefix, `node_modules/node-linux-${process.arch}/bin/node`);
  });
}

/** Every expectation on one Node with the installed tarball. Yields [what, whether, the result]. */
function* withBinary(node, folder) {
  const required = runNode(node, folder, ['require.cjs']);
  const [, engine, state, attached] = /^(\w+) (\w+) (\d+)$/m.exec(required.stdout) ?? [];
  const native = engine === 'io_uring' || engine === 'epoll';
  yield ['require, a native engine', required.status === 0 && native, required];
  // The listener and both ends of the one connection.
  const balanced = state === 'balanced' && Number(attached) >= 3;
  yield ['the ledger balances', balanced && required.stdout.includes('echoed hello'), required];
  const epoll = runNode(node, folder, ['require.cjs'], { SOREF_ENGINE: 'epoll' });
  yield ['SOREF_ENGINE=epoll', /^epoll balanced/m.test(epoll.stdout), epoll];
  const imported = runNode(node, folder, ['import.mjs']);
  yield ['import', imported.status === 0 && imported.stdout === 'echoed hello\n', imported];
  for (const flag of ['--import', '--require']) {
    const hooked = runNode(node, folder, [flag, 'soref/register', 'plain.cjs']);
    yield [`${flag} soref/register`, hooked.stdout === 'hooked\nechoed hello\n', hooked];
  }
  const doctor = runNode(node, folder, ['node_modules/.bin/soref', 'doctor']);
  yield ['soref doctor', doctor.status === 0 && doctor.stdout.includes(engine), doctor];
}

/** And without a binary: node:net itself, with one warning. */
function* withoutBinary(node, folder) {
  const required = runNode(node, folder, ['require.cjs']);
  const echoed = required.status === 0 && required.stdout.includes('echoed hello');
  yield [
    'no binary: serves node:net',
    echoed && /^node balanced 0$/m.test(required.stdout),
    required,
  ];
  const warnings = required.stderr.match(/Warning:.*soref/gi) ?? [];
  yield ['no binary: one warning', warnings.length === 1, required];
  const doctor = runNode(node, folder, ['node_modules/.bin/soref', 'doctor']);
  yield ['no binary: soref doctor', doctor.status === 1 && doctor.stdout !== '', doctor];
}

function count(label, checks) {
  let failed = 0;
  let passed = 0;
  for (const [what, ok, { status, signal, stdout, stderr }] of checks) {
    console.log(`${ok ? 'ok' : 'FAILED'} ${label}: ${what}`);
    if (ok) passed++;
    else failed++;
    if (!ok)
      console.log(`    status ${status ?? signal}\n${stdout}${stderr}`.replace(/^/gm, '    '));
  }
  return { passed, failed };
}

await main(async (args) => {
  const nodes = [process.execPath];
  for (const arg of args) if (arg.startsWith('--node=')) nodes.push(arg.slice('--node='.length));
  const lines = args.find((arg) => arg.startsWith('--lines='))?.slice('--lines='.length) ?? '';
  setup();
  const folder = mkdtempSync(join(tmpdir(), 'soref-pack-'));
  const results = [];
  try {
    const tarball = pack(folder);
    const app = join(folder, 'app');
    install(app, tarball);
    nodes.push(...fetchNodes(folder, lines.split(',').filter(Boolean)));
    for (const node of nodes) {
      results.push(count(`Node ${output(node, ['--version'])}`, withBinary(node, app)));
    }
    rmSync(join(app, 'node_modules/soref/prebuilds'), { recursive: true });
    results.push(count(`Node ${process.version}`, withoutBinary(process.execPath, app)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  if (sum('failed') > 0) process.exitCode = 1;
});
