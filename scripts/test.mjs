// Runs the tests. `node scripts/test.mjs [part…] [options]`; the parts are
//   layout  the rules of the source tree                        test/layout/*.test.ts
//   types   programs typed against net compile against soref    test/types/*.test.mjs
//   native  everything below binding/ under ASan and UBSan      test/native/*_test.cpp
//           and over a simulated kernel, where all can fail     test/faults/*_test.cpp
//   bench   the load generator and the comparison tell the truth test/bench/*.test.mjs
//   api     what a program sees, once with each engine          test/api/*.test.ts
//   soak    short soaks pass, and spoiled servers do not        test/soak/*.test.mjs
// and without a part all but the last.
// Options: --only=WORD runs the files whose names contain WORD; --engine=io_uring|epoll runs the API
// tests on that one. Sets up and builds before. The last line is `N passed, N failed`.
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { availableEngines } from './engines.mjs';
import { buildUnlessFresh } from './freshness.mjs';
import { testPrograms } from './native-makefile.mjs';
import { main, root, run, step } from './processes.mjs';
import { setup } from './setup.mjs';

/** Compiles the TypeScript below test/; test/apps preloads a part of it. */
export function compileTests() {
  const inputs = [
    'test/api',
    'test/layout',
    'test/conformance',
    'tsconfig.json',
    'tsconfig.test.json',
    'dist/index.d.ts',
  ];
  buildUnlessFresh('tests-typescript', { inputs, outputs: ['dist-test'] }, () => {
    step('Compiling the tests to dist-test/');
    rmSync(join(root, 'dist-test'), { recursive: true, force: true });
    mkdirSync(join(root, 'dist-test'));
    run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json']);
  });
}

/** The files of a folder that end so and whose names contain `only`; none at all is an error. */
export function testFiles(folder, ending, only) {
  const absolute = join(root, folder);
  const names = existsSync(absolute) ? readdirSync(absolute) : [];
  const all = names.filter((name) => name.endsWith(ending)).sort();
  if (all.length === 0) throw new Error(`no tests (*${ending}) in ${folder}`);
  return all.filter((name) => name.includes(only)).map((name) => join(folder, name));
}

const LAYOUT_TIMEOUT = 60_000; // milliseconds a file
const TYPES_TIMEOUT = 120_000;
const NATIVE_TIMEOUT = 120_000;
const BENCH_TIMEOUT = 120_000;
const API_TIMEOUT = 300_000; // some start dozens of processes, on a machine that may be busy
const SOAK_TIMEOUT = 400_000;

async function layout({ only, runner }) {
  const results = [];
  for (const file of testFiles('dist-test/layout', '.test.js', only)) {
    results.push(await runner.runTapFile(file, { timeout: LAYOUT_TIMEOUT }));
  }
  return results;
}

async function types({ only, runner }) {
  await build(['native', 'typescript']);
  const results = [];
  for (const file of testFiles('test/types', '.test.mjs', only)) {
    results.push(await runner.runTapFile(file, { timeout: TYPES_TIMEOUT }));
  }
  return results;
}

async function native({ only, runner }) {
  await build(['tests']);
  const results = [];
  const names = [...testPrograms().keys()];
  if (names.length === 0) throw new Error('no tests (*_test.cpp) in test/native');
  for (const name of names.filter((name) => name.includes(only))) {
    const file = join('build-tests/tests', name);
    results.push(await runner.runNativeTest(file, { timeout: NATIVE_TIMEOUT }));
  }
  return results;
}

async function bench({ only, runner }) {
  await build(['bench']);
  const results = [];
  for (const file of testFiles('test/bench', '.test.mjs', only)) {
    results.push(await runner.runTapFile(file, { timeout: BENCH_TIMEOUT }));
  }
  return results;
}

async function api({ only, engine, runner }) {
  const results = [];
  const engines = engine ? [engine] : availableEngines(results);
  for (const name of engines) {
    step(`API tests with SOREF_ENGINE=${name}`);
    for (const file of testFiles('dist-test/api', '.test.js', only)) {
      const options = { timeout: API_TIMEOUT, env: { SOREF_ENGINE: name }, balancesLedger: true };
      results.push(await runner.runTapFile(file, options));
    }
  }
  return results;
}

async function soak({ only, runner }) {
  await build(['native', 'bench', 'typescript']);
  const results = [];
  for (const file of testFiles('test/soak', '.test.mjs', only)) {
    results.push(await runner.runTapFile(file, { timeout: SOAK_TIMEOUT }));
  }
  return results;
}

const parts = { layout, types, native, bench, api, soak };
const DEFAULT_PARTS = ['layout', 'types', 'native', 'bench', 'api'];

/** Runs the named parts and returns every file's result. */
async function runTests(names, options) {
  if (names.includes('layout') || names.includes('api')) {
    await build(['native', 'typescript']);
    compileTests();
  }
  // Only now, since set-up has to run before the packages that it needs are there.
  const runner = await import('./test-files.mjs');
  const results = [];
  for (const name of names) {
    step(`Tests: ${name}`);
    results.push(...(await parts[name]({ ...options, runner })));
  }
  return results;
}

function parse(args) {
  const names = args.filter((arg) => !arg.startsWith('--'));
  const unknown = names.find((name) => !(name in parts));
  if (unknown) throw new Error(`no part ${unknown}; there are ${Object.keys(parts).join(', ')}`);
  const options = { only: '', engine: undefined };
  for (const arg of args.filter((arg) => arg.startsWith('--'))) {
    const [, key, value] = /^--(only|engine)=(.+)$/.exec(arg) ?? [];
    if (!key) throw new Error(`no option ${arg}; there are --only=WORD and --engine=NAME`);
    options[key] = value;
  }
  return { names: names.length > 0 ? names : DEFAULT_PARTS, options };
}

/** Shows what failed, and the sum as the last line. */
export function report(results) {
  for (const { file, failures } of results.filter((result) => result.failed > 0)) {
    console.log(`\nfailed: ${file}\n${failures.map((line) => `  ${line}`).join('\n')}`);
  }
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  if (sum('passed') + sum('failed') === 0) throw new Error('no test ran');
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  if (sum('failed') > 0) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async (args) => {
    const { names, options } = parse(args);
    setup();
    const results = await runTests(names, options);
    report(results);
  });
}
