// Proves that both builds of the addon, cmake-js' and node-gyp's, give JavaScript the same: the same
// names of the same kinds, and the same engines compiled in; and that the core also compiles without
// liburing, as on a machine that has none. Last line: `N passed, N failed`.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADDON, build } from './build.mjs';
import { nodePrefix } from './node-headers.mjs';
import { has, main, root, run, step } from './processes.mjs';
import { setup } from './setup.mjs';

/** Lists name and kind of everything the addon exports, and every constant's value. */
const LIST = `
  const seen = new Set();
  const list = (value, path) => Object.getOwnPropertyNames(value).sort().flatMap((name) => {
    const { value: member, get } = Object.getOwnPropertyDescriptor(value, name);
    const kind = get ? 'accessor' : typeof member;
    const constant = kind === 'number' || kind === 'string';
    const line = path + name + ': ' + kind + (constant ? ' ' + JSON.stringify(member) : '');
    const inner = member && /object|function/.test(typeof member) && name !== 'constructor';
    if (!inner || seen.has(member)) return [line];
    seen.add(member);
    return [line, ...list(member, path + name + '.')];
  });
  console.log(list(require(process.argv[1]), '').join('\\n'));`;

function exportsOf(addon) {
  return execFileSync(process.execPath, ['-e', LIST, addon], { encoding: 'utf8' }).trim();
}

/** The symbols that the dynamic linker sees, without their addresses. */
function symbolsOf(addon) {
  const lines = execFileSync('nm', ['-D', '--defined-only', addon], { encoding: 'utf8' });
  return lines.trim().replace(/^[0-9a-f]+ /gm, '');
}

/** Whether io_uring is in: the engine's source compiles to nothing where liburing is missing. */
function engineStrings(addon) {
  const strings = execFileSync('nm', ['-C', addon], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return /\bio_uring_queue_init/.test(strings) ? 'io_uring, epoll' : 'epoll';
}

/** node-gyp builds in a copy, for it would write into the same build/ as cmake-js. */
function gypBuild(folder) {
  for (const path of ['package.json', 'binding.gyp', 'src-native', 'scripts']) {
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const gyp = join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  const prefix = nodePrefix();
  const where = prefix ? [`--nodedir=${prefix}`] : [];
  run(process.execPath, [gyp, 'rebuild', '-j', 'max', '--loglevel', 'warn', ...where], {
    cwd: folder,
    quiet: true,
  });
  return join(folder, 'build/Release/soref.node');
}

/** Compiles the core as where liburing is missing; throws when it does not. */
function buildWithoutLiburing(folder) {
  const werror = `-DSOREF_WERROR=${process.env.SOREF_WERROR === '1' ? 'ON' : 'OFF'}`;
  run('cmake', ['-S', '.', '-B', folder, '-DSOREF_URING=OFF', werror], { quiet: true });
  run('cmake', ['--build', folder, '--parallel', String(availableParallelism())], { quiet: true });
}

await main(async () => {
  setup();
  if (!has('cmake')) throw new Error('cmake is needed to compare its build with that of node-gyp');
  await build(['native']);
  const folder = mkdtempSync(join(tmpdir(), 'soref-gyp-'));
  let failed = 0;
  try {
    step('Building the addon with node-gyp as well');
    const [cmake, gyp] = [join(root, ADDON), gypBuild(folder)];
    const facts = { exports: exportsOf, 'dynamic symbols': symbolsOf, engines: engineStrings };
    for (const [name, read] of Object.entries(facts)) {
      const [ours, theirs] = [read(cmake), read(gyp)];
      const same = ours === theirs && ours !== '';
      console.log(`${same ? 'ok' : 'FAILED'} ${name}: ${ours.split('\n').length} of cmake-js`);
      if (same) continue;
      console.log(`--- cmake-js\n${ours}\n--- node-gyp\n${theirs}`);
      failed++;
    }
    try {
      step('Building the core without liburing');
      buildWithoutLiburing(join(folder, 'build-epoll'));
      console.log('ok the core compiles without liburing');
    } catch (error) {
      console.log(`FAILED the core compiles without liburing: ${error.message}`);
      failed++;
    }
    console.log(`${Object.keys(facts).length + 1 - failed} passed, ${failed} failed`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (failed > 0) process.exitCode = 1;
});
