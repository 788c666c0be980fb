// Builds what checks the core while it runs: the addon under AddressSanitizer, tests under
// ThreadSanitizer, fuzzers. cmake alone can. scripts/build.mjs calls these, under its lock.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cmakeBuild, NATIVE_INPUTS } from './cmake-build.mjs';
import { buildUnlessFresh } from './freshness.mjs';
import { has, root, step } from './processes.mjs';

/** What the native tests are checked with. */
export const SANITIZERS = 'address,undefined';
/** Their objects and programs, and the addon that is checked so. */
export const TESTS_FOLDER = 'build-tests';
export const SANITIZED_ADDON = `${TESTS_FOLDER}/soref.node`;
export const FAULTY_ADDON = `${TESTS_FOLDER}/faulty_addon.node`;
/** The native tests that have threads; the others have nobody to race with. */
export const THREADED_TESTS = ['environments_test'];
export const THREADS_FOLDER = 'build-threads/tests';
export const FUZZERS_FOLDER = 'build-fuzz/fuzzers';
export const FAULTY_FUZZER = `${FUZZERS_FOLDER}/faulty_fuzzer`;

/** The names of the fuzzers. */
export function fuzzers() {
  const files = readdirSync(join(root, 'test/fuzz')).filter((name) => name.endsWith('_fuzzer.cpp'));
  return files.map((name) => basename(name, '.cpp')).sort();
}

/** What only cmake can build; `part` names it in the error. */
function needCmake({ gyp }, part) {
  if (gyp) throw new Error(`${part} needs cmake`);
}

/** The addon, from the objects of the native tests. Node's headers are here once the plain one is built. */
export function buildSanitizedAddon(settings) {
  needCmake(settings, 'the addon under sanitizers');
  const inputs = [...NATIVE_INPUTS, 'test/sanitizers', 'scripts/node-headers.mjs'];
  const outputs = [SANITIZED_ADDON, FAULTY_ADDON];
  buildUnlessFresh('sanitized-addon', { inputs, outputs, settings }, () => {
    step('Building the addon with AddressSanitizer and UndefinedBehaviorSanitizer');
    cmakeBuild(TESTS_FOLDER, {
      options: ['-DSOREF_ADDON=ON', `-DSOREF_SANITIZE=${SANITIZERS}`],
      settings,
      targets: ['soref', 'faulty_addon'],
    });
  });
}

/** The native tests that have more than one thread, under ThreadSanitizer. */
export function buildThreadTests(settings) {
  needCmake(settings, 'a build with ThreadSanitizer');
  const programs = ['racing_threads', ...THREADED_TESTS];
  const inputs = [...NATIVE_INPUTS, 'test/native', 'test/sanitizers'];
  const outputs = programs.map((name) => `${THREADS_FOLDER}/${name}`);
  buildUnlessFresh('thread-tests', { inputs, outputs, settings }, () => {
    step('Building the tests with threads with ThreadSanitizer');
    cmakeBuild('build-threads', {
      options: ['-DSOREF_NATIVE_TESTS=ON', '-DSOREF_SANITIZE=thread'],
      settings,
      targets: programs,
    });
  });
}

/** The compiler of the fuzzers, since libFuzzer is clang's; undefined where there is none. */
export const fuzzingCompiler = () => ['clang++-14', 'clang++'].find(has);

export function buildFuzzers(settings) {
  needCmake(settings, 'fuzzing');
  const compiler = fuzzingCompiler();
  if (!compiler) throw new Error('fuzzing needs clang (apt-get install clang libclang-rt-dev)');
  const inputs = [...NATIVE_INPUTS, 'test/faults', 'test/native', 'test/sanitizers'];
  inputs.push(...fuzzers().map((name) => `test/fuzz/${name}.cpp`), 'test/fuzz/finding.h');
  const outputs = [FAULTY_FUZZER, ...fuzzers().map((name) => `${FUZZERS_FOLDER}/${name}`)];
  buildUnlessFresh('fuzzers', { inputs, outputs, settings }, () => {
    step(`Building ${outputs.length} fuzzers with ${compiler}`);
    const sanitizers = `-DSOREF_SANITIZE=fuzzer-no-link,${SANITIZERS}`;
    const options = ['-DSOREF_FUZZERS=ON', sanitizers, `-DCMAKE_CXX_COMPILER=${compiler}`];
    cmakeBuild('build-fuzz', { options, settings });
  });
}
