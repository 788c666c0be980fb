// `soref doctor` tells what is the case: where all works, with an engine asked for, where the kernel refuses io_uring,
// and without a binary.
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { engine } from 'soref';
import t from 'tap';
import { type Conditions, copyWithoutBinary, refusingUring, root, run } from './programs';

const command = join(root, 'dist/doctor/command.js');
const EPERM = 1;
const ENOSYS = 38;

/** What --json prints, and the exit code. */
async function diagnose(conditions: Conditions = {}, program = command) {
  const { status, stdout, stderr } = await run(program, {
    ...conditions,
    args: ['doctor', '--json'],
  });
  return { status, stderr, diagnosis: JSON.parse(stdout) };
}

t.test('a machine that soref works on', async (t) => {
  const { status, stderr, diagnosis } = await diagnose();
  t.equal(status, 0);
  t.equal(stderr, '');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  t.match(diagnosis, {
    version,
    works: true,
    machine: { kernel: release(), architecture: process.arch, seccomp: /none|filter/ },
    node: { version: process.version, supported: true, nodeApi: Number(process.versions.napi) },
    engine: { requested: process.env.SOREF_ENGINE || 'auto', chosen: engine },
    binary: { reason: '' },
  });
  t.ok(existsSync(diagnosis.binary.path));
  t.ok(diagnosis.machine.limits.descriptors.soft > 0);
  t.ok(diagnosis.machine.limits.backlog > 0);
});

t.test('what register replaces', async (t) => {
  const { diagnosis } = await diagnose();
  const { stdout } = await run('-p', {
    options: ['--require', join(root, 'dist/register/index.js')],
    args: ["require('soref').registered.join()"],
  });
  t.equal(diagnosis.register.active, true);
  t.equal(diagnosis.register.replaces.join(), stdout.trim());
  t.ok(diagnosis.register.replaces.includes('net.connect'));
  const off = await diagnose({ env: { SOREF_REGISTER: '0' } });
  t.match(off.diagnosis.register, { active: false, replaces: [] });
  t.match(off.diagnosis.advice.join(), /SOREF_REGISTER=0 is set/);
  t.equal(off.status, 0);
});

t.test('an engine that was asked for', async (t) => {
  const { status, diagnosis } = await diagnose({ env: { SOREF_ENGINE: 'epoll' } });
  t.equal(status, 0);
  t.match(diagnosis, { works: true, engine: { requested: 'epoll', chosen: 'epoll', reason: '' } });
  const invalid = await diagnose({ env: { SOREF_ENGINE: 'kqueue' } });
  t.equal(invalid.status, 1);
  t.match(invalid.diagnosis, { works: false, engine: { chosen: null, reason: /'kqueue'/ } });
});

t.test('a kernel that refuses io_uring', async (t) => {
  const SOREF_ENGINE = 'auto';
  const { status, diagnosis } = await diagnose({
    launcher: refusingUring(EPERM),
    env: { SOREF_ENGINE },
  });
  t.equal(status, 0, 'epoll carries sockets');
  t.match(diagnosis, { works: true, machine: { seccomp: 'filter' }, engine: { chosen: 'epoll' } });
  t.equal(diagnosis.ioUring.usable, false);
  // Without liburing nothing was tried, and nothing refused.
  if (diagnosis.binary.liburing) {
    t.equal(diagnosis.ioUring.errno, 'EPERM');
    t.match(diagnosis.engine.reason, /not permitted/);
    t.match(diagnosis.advice.join(), /seccomp filter forbids io_uring/);
  }
  const old = await diagnose({ launcher: refusingUring(ENOSYS), env: { SOREF_ENGINE } });
  t.equal(old.status, 0);
  t.equal(old.diagnosis.ioUring.errno, diagnosis.binary.liburing ? 'ENOSYS' : null);
  const demanded = await diagnose({
    launcher: refusingUring(EPERM),
    env: { SOREF_ENGINE: 'io_uring' },
  });
  t.equal(demanded.status, 1);
  t.match(demanded.diagnosis, { works: false, engine: { chosen: null } });
});

t.test('no binary', async (t) => {
  const copy = copyWithoutBinary(t.testdir());
  const env = { SOREF_ENGINE: '' };
  const program = join(copy, 'dist/doctor/command.js');
  const { status, stderr, diagnosis } = await diagnose({ env }, program);
  t.equal(status, 1);
  t.equal(stderr, '', 'the warning of the fallback is part of the diagnosis');
  t.match(diagnosis, {
    works: false,
    binary: { path: null, reason: /no binary for linux/ },
    engine: { chosen: 'node' },
    register: { active: false, replaces: [] },
  });
  t.match(diagnosis.advice.join(), /npm rebuild soref/);
});

t.test('as text', async (t) => {
  const { status, stdout } = await run(command, { args: ['doctor'] });
  t.equal(status, 0);
  t.match(stdout, new RegExp(`^soref \\S+ carries sockets, on ${engine}\\.\n`));
  for (const label of ['machine', 'node', 'binary', 'engine', 'io_uring', 'limits', 'register']) {
    t.match(stdout, new RegExp(`^${label} +\\S`, 'm'), label);
  }
});

t.test('called otherwise', async (t) => {
  for (const args of [[], ['nurse'], ['doctor', '--yaml']]) {
    const { status, stdout, stderr } = await run(command, { args });
    t.equal(status, 2, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr, /^usage: /);
  }
});
