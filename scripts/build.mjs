// Builds soref. `node scripts/build.mjs [part…] [--debug] [--gyp]`; the parts are
//   native      the addon, build/Release/soref.node
//   bench       the native programs of the benchmarks, build-bench/bench/
//   micro       the programs that count the core's instructions, build-micro/bench/
//   unasserted  the same without the core's assertions, to count what those cost
//   tests       the native tests under sanitizers, build-tests/tests/
//   typescript  lib/ to dist/, with dist/index.mjs
// and with cmake only
//   sanitized-addon  the addon under sanitizers, build-tests/soref.node
//   thread-tests     the native tests with threads, build-threads/tests/
//   fuzzers          build-fuzz/fuzzers/; needs clang too
// Without a part it builds native, bench and typescript. cmake builds what is native; where it is missing,
// or with --gyp, node-gyp builds the addon and make the programs. What is fresh is left alone. SOREF_WERROR=1 makes warnings errors.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  buildFuzzers,
  buildSanitizedAddon,
  buildThreadTests,
  SANITIZERS,
  TESTS_FOLDER,
} from './checked-builds.mjs';
import { cmakeBuild, NATIVE_INPUTS } from './cmake-build.mjs';
import { writeEsmDoor } from './esm-door.mjs';
import { buildUnlessFresh, withBuildLock } from './freshness.mjs';
import { liburingArchive } from './liburing.mjs';
import {
  benchPrograms,
  hasOpenssl,
  makePrograms,
  microPrograms,
  testPrograms,
} from './native-makefile.mjs';
import { includeFolders, nodePrefix } from './node-headers.mjs';
import { has, main, root, run, step } from './processes.mjs';

/** Where the loader finds the addon in a checkout. */
export const ADDON = 'build/Release/soref.node';

const nodeScript = (path, ...args) =>
  run(process.execPath, [join(root, 'node_modules', path), ...args]);
const QUIET_GYP = ['--loglevel', 'warn'];
const jobs = String(availableParallelism());
/** Beside them bench/micro has scripts, and the record of what was counted. */
const MICRO_SOURCES = ['bench/micro/seams', 'bench/micro/seams.cpp'];

function ensureHeaders() {
  if (includeFolders()) return;
  step("Downloading Node's headers with node-gyp, for this machine has none");
  nodeScript('node-gyp/bin/node-gyp.js', 'install');
  if (!includeFolders()) throw new Error("Node's headers were not found after node-gyp's download");
}

function cmakeAddon({ debug, werror }) {
  const config = debug ? 'Debug' : 'Release';
  const out = debug ? 'build-debug' : 'build';
  const cmakeJs = (command, ...args) =>
    nodeScript(
      'cmake-js/bin/cmake-js',
      command,
      '--out',
      out,
      '--config',
      config,
      '-l',
      'warn',
      ...args,
    );
  cmakeJs('configure', '--prefer-make', `--CDSOREF_WERROR=${werror ? 'ON' : 'OFF'}`);
  cmakeJs('build', '--parallel', jobs);
  if (!debug) return;
  // The loader knows one place; a later build without --debug puts the optimized addon back.
  mkdirSync(join(root, 'build/Release'), { recursive: true });
  copyFileSync(join(root, out, config, 'soref.node'), join(root, ADDON));
}

function gypAddon({ debug }) {
  const prefix = nodePrefix();
  const where = prefix ? [`--nodedir=${prefix}`] : [];
  const mode = debug ? ['--debug'] : [];
  nodeScript(
    'node-gyp/bin/node-gyp.js',
    'configure',
    'build',
    '--jobs',
    jobs,
    ...QUIET_GYP,
    ...where,
    ...mode,
  );
  if (debug) copyFileSync(join(root, 'build/Debug/soref.node'), join(root, ADDON));
}

function buildAddon(settings) {
  const builder = settings.gyp ? 'node-gyp' : 'cmake-js';
  const inputs = [...NATIVE_INPUTS, 'scripts/node-headers.mjs', 'scripts/native-sources.mjs'];
  buildUnlessFresh('native', { inputs, outputs: [ADDON], settings }, () => {
    step(`Building the addon with ${builder}${settings.debug ? ', for debugging' : ''}`);
    ensureHeaders();
    // The other builder's leftovers, or a debug build's addon, would pass for fresh. Removing also
    // spares processes that have the old file mapped.
    rmSync(join(root, ADDON), { force: true });
    if (settings.gyp) rmSync(join(root, 'build/CMakeCache.txt'), { force: true });
    else rmSync(join(root, 'build/config.gypi'), { force: true });
    if (settings.gyp) gypAddon(settings);
    else cmakeAddon(settings);
  });
}

function buildPrograms(name, programs, { inputs, options, plan, settings }) {
  const outputs = [...programs.keys()].map((program) => join(plan.outputs, program));
  buildUnlessFresh(name, { inputs, outputs, settings }, () => {
    step(
      `Building ${programs.size} native programs of ${name} with ${settings.gyp ? 'make' : 'cmake'}`,
    );
    if (settings.gyp) return makePrograms(programs, { ...plan, werror: settings.werror });
    cmakeBuild(plan.folder, { options, settings });
  });
}

function buildBench(settings) {
  buildPrograms('bench', benchPrograms(), {
    inputs: ['bench/native', 'CMakeLists.txt', 'scripts/native-makefile.mjs'],
    options: ['-DSOREF_BENCH=ON', '-DSOREF_CORE=OFF'],
    plan: {
      folder: 'build-bench',
      outputs: 'build-bench/bench',
      includes: ['bench/native'],
      withTls: true,
    },
    settings: { ...settings, openssl: hasOpenssl() },
  });
}

function buildMicro(settings, { name, folder, assertions }) {
  buildPrograms(name, microPrograms(), {
    inputs: [...NATIVE_INPUTS, ...MICRO_SOURCES, 'scripts/native-makefile.mjs'],
    options: ['-DSOREF_MICRO=ON', `-DSOREF_ASSERTIONS=${assertions ? 'ON' : 'OFF'}`],
    plan: {
      folder,
      outputs: join(folder, 'bench'),
      includes: ['src-native', 'bench/micro'],
      withCore: true,
      defines: assertions ? [] : ['SOREF_WITHOUT_ASSERTIONS=1'],
    },
    settings,
  });
}

const asserted = { name: 'micro', folder: 'build-micro', assertions: true };
const unasserted = { name: 'unasserted', folder: 'build-unasserted', assertions: false };

function buildTests(settings) {
  buildPrograms('tests', testPrograms(), {
    inputs: [...NATIVE_INPUTS, 'test/native', 'test/faults', 'scripts/native-makefile.mjs'],
    options: ['-DSOREF_NATIVE_TESTS=ON', '-DSOREF_ADDON=OFF', `-DSOREF_SANITIZE=${SANITIZERS}`],
    plan: {
      folder: TESTS_FOLDER,
      outputs: `${TESTS_FOLDER}/tests`,
      includes: ['src-native', 'test/native'],
      withCore: true,
      sanitize: SANITIZERS,
    },
    settings,
  });
}

function buildTypescript() {
  const inputs = ['lib', 'tsconfig.json', 'scripts/esm-door.mjs', 'package-lock.json'];
  buildUnlessFresh('typescript', { inputs, outputs: ['dist/index.js', 'dist/index.mjs'] }, () => {
    step('Compiling lib/ to dist/');
    // A file that left lib/ must leave dist/ too.
    rmSync(join(root, 'dist'), { recursive: true, force: true });
    nodeScript('typescript/bin/tsc', '-p', 'tsconfig.json');
    writeEsmDoor();
  });
}

const parts = {
  native: buildAddon,
  bench: buildBench,
  micro: (settings) => buildMicro(settings, asserted),
  unasserted: (settings) => buildMicro(settings, unasserted),
  tests: buildTests,
  'sanitized-addon': buildSanitizedAddon,
  'thread-tests': buildThreadTests,
  fuzzers: buildFuzzers,
  typescript: buildTypescript,
};

/** Builds the named parts, one after the other. */
export async function build(names, { debug = false, gyp = false } = {}) {
  const werror = process.env.SOREF_WERROR === '1';
  // What was built without a library is not fresh once the machine has it.
  const settings = { debug, werror, gyp: gyp || !has('cmake'), liburing: liburingArchive() };
  await withBuildLock(() => {
    for (const name of names) parts[name](settings);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async (args) => {
    const flags = new Set(args.filter((arg) => arg.startsWith('--')));
    const names = args.filter((arg) => !arg.startsWith('--'));
    for (const name of names) {
      if (!(name in parts))
        throw new Error(`no part ${name}; there are ${Object.keys(parts).join(', ')}`);
    }
    for (const flag of flags) {
      if (!['--debug', '--gyp'].includes(flag)) throw new Error(`no option ${flag}`);
    }
    await build(names.length > 0 ? names : ['native', 'bench', 'typescript'], {
      debug: flags.has('--debug'),
      gyp: flags.has('--gyp'),
    });
  });
}
