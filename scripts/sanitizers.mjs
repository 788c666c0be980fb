// Runs the tests where they find what no test sees by itself. The parts are
//   threads      the native tests with environments on two threads, under ThreadSanitizer
//   address      the API tests, with the addon under AddressSanitizer and UndefinedBehaviorSanitizer
//   collection   the API tests while V8 collects garbage all the time
//   fuzz         each fuzzer of test/fuzz, for ten seconds
//   conformance  Node's net tests, with the addon of `address`
//   npm run sanitizers -- [part…] [--all] [--only=WORD] [--engine=io_uring|epoll]
//     --all   everything on both engines, and each fuzzer for ten minutes; it takes about an hour
//     --only  files whose names contain the word
// Without --all it is what CI runs: no conformance, most of `address` on one engine and of `collection`
// on the other, at the same time. Without clang the fuzzers are left out, visibly; in CI that is a failure.
// The last line is `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { addressTrial } from './address-sanitizer.mjs';
import { build } from './build.mjs';
import { fuzzingCompiler } from './checked-builds.mjs';
import { availableEngines } from './engines.mjs';
import { fuzz } from './fuzz.mjs';
import { collectionTrial } from './garbage-collection.mjs';
import { main, root, step } from './processes.mjs';
import { setup } from './setup.mjs';
import { runStagedApiTests } from './staged-api-tests.mjs';
import { compileTests, report } from './test.mjs';
import { runThreadTests } from './thread-sanitizer.mjs';

const SHORT = 10; // seconds a fuzzer
const LONG = 600;

const PARTS = ['threads', 'address', 'collection', 'fuzz', 'conformance'];
const PARTS_IN_CI = PARTS.filter((part) => part !== 'conformance');

const options = {
  all: { type: 'boolean', default: false },
  only: { type: 'string', default: '' },
  engine: { type: 'string' },
};

/** The API tests under both trials, or under the one that is asked for. */
async function runTrials(parts, { all, engine, ...how }) {
  const results = [];
  const trials = [];
  const every = all || how.only !== '';
  if (parts.includes('address')) trials.push(await addressTrial(results, every));
  if (parts.includes('collection')) trials.push(await collectionTrial(results, every));
  if (trials.length === 0) return results;
  const engines = engine ? [engine] : availableEngines(results);
  // Two at a time: in each round the trials meet different engines.
  for (let round = 0; round < (all ? engines.length : 1); round += 1) {
    const runs = trials.map((trial, index) =>
      runStagedApiTests(trial, engines[(round + index) % engines.length], how),
    );
    results.push(...(await Promise.all(runs)).flat());
  }
  return results;
}

/** The parts of a run. */
function chooseParts(named, all) {
  const unknown = named.find((part) => !PARTS.includes(part));
  if (unknown) throw new Error(`no part ${unknown}; there are ${PARTS.join(', ')}`);
  if (named.length > 0) return named;
  const parts = all ? PARTS : PARTS_IN_CI;
  if (process.env.CI || fuzzingCompiler()) return parts;
  step('fuzz is left out: it needs clang (apt-get install clang libclang-rt-dev)');
  return parts.filter((part) => part !== 'fuzz');
}

/** Node's tests; each engine's results are one file's. */
function runConformance({ engine }) {
  const engines = engine ? [engine] : availableEngines([]);
  return engines.map((name) => {
    const file = `conformance under AddressSanitizer [${name}]`;
    step(file);
    const script = join(root, 'scripts/conformance.mjs');
    const { stdout, status } = spawnSync(
      process.execPath,
      [script, '--sanitized', '--engine', name],
      { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28 },
    );
    process.stdout.write(stdout);
    const [, passed = 0, failed = 0] = /^(\d+) passed, (\d+) failed$/m.exec(stdout) ?? [];
    const failures = status === 0 ? [] : [`it ended with ${status}: see above`];
    return { file, passed: Number(passed), failed: Number(failed) || failures.length, failures };
  });
}

await main(async (args) => {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const parts = chooseParts(positionals, values.all);
  setup();
  if (parts.some((part) => part !== 'threads' && part !== 'fuzz')) {
    await build(['native', 'typescript']);
    compileTests();
  }
  // Only now, since set-up has to run before the packages that it needs are there.
  const runner = await import('./test-files.mjs');
  const how = { ...values, runner };
  const results = [];
  if (parts.includes('threads')) results.push(...(await runThreadTests(how)));
  results.push(...(await runTrials(parts, how)));
  // A short run is the same each time, as far as the machine lets it come.
  const length = values.all ? { seconds: LONG } : { seconds: SHORT, seed: 1 };
  if (parts.includes('fuzz')) results.push(...(await fuzz(length)));
  if (parts.includes('conformance')) results.push(...runConformance(values));
  report(results);
});
