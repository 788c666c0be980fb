// Spoils the sources one way at a time, and sees whether the tests notice.
//   npm run mutants -- [WORD…] [--sample]
// WORD: only mutants with one of the words in what they do wrong or in their file. --sample: the few
// that continuous integration runs. A mutant is noticed if a test fails, aborts, is stopped by a
// sanitizer or hangs: first the tests that its list names, then, for src-native, all native tests until
// one notices. Fails if more than one of ten is not noticed, or if a list no longer fits its source.
// The last line is `N passed, N failed`.
import { availableParallelism } from 'node:os';
import { MUTANTS, SAMPLE } from '../test/mutation/mutants.mjs';
import { build } from './build.mjs';
import { makeTrial, removeTrial } from './mutant-trials.mjs';
import { testPrograms } from './native-makefile.mjs';
import { main, step } from './processes.mjs';
import { compileTests } from './test.mjs';

const NOTICED_AT_LEAST = 0.9;

const isNative = ({ file }) => !file.startsWith('lib/');

/** Runs `work` on each of a list, two at a time. */
async function onAll(list, work) {
  const queue = [...list.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await work(next[1], next[0]);
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
}

/**
 * Tests from the quickest to the slowest. Each must pass with a mutant that changes nothing before a
 * failure means anything.
 */
async function testsThatPass(tests, mutant) {
  const name = `unchanged-${mutant.file.replace(/\W+/g, '-')}`;
  const run = await makeTrial({ ...mutant, change: (text) => text }, name);
  const times = new Map();
  await onAll(tests, async (test) => {
    const started = performance.now();
    const failure = await run(test);
    if (failure) throw new Error(`${test} fails without a mutant: ${failure}`);
    times.set(test, performance.now() - started);
  });
  removeTrial(name);
  return [...tests].sort((one, other) => times.get(one) - times.get(other));
}

/** The test that notices a mutant and how, or undefined. */
async function noticed(mutant, nativeTests, name) {
  const run = await makeTrial(mutant, name);
  const others = isNative(mutant) ? nativeTests : [];
  const known = (test) => !isNative(mutant) || nativeTests.includes(test);
  for (const test of new Set([...mutant.tests.filter(known), ...others])) {
    const how = await run(test);
    if (how) return `${test}: ${how}`;
  }
  return undefined;
}

async function judge(mutant, nativeTests, number) {
  const started = performance.now();
  let result;
  let verdict;
  try {
    verdict = await noticed(mutant, nativeTests, String(number));
    result = verdict ? 'noticed' : 'missed';
  } catch (error) {
    result = 'broken';
    verdict = error.message;
  }
  removeTrial(String(number));
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5);
  const file = mutant.file.replace('src-native/', '').padEnd(28);
  const mark = result === 'noticed' ? 'ok    ' : 'FAILED';
  console.log(
    `${mark} ${file} ${mutant.what.padEnd(64)} ${seconds} s  ${verdict ?? 'not noticed'}`,
  );
  return result;
}

function chosen(args) {
  const words = args.filter((arg) => !arg.startsWith('--'));
  const unknown = args.find((arg) => arg.startsWith('--') && arg !== '--sample');
  if (unknown) throw new Error(`no option ${unknown}; there is --sample`);
  const names = MUTANTS.map(({ what, file }) => `${file}: ${what}`);
  const same = names.find((name, index) => names.indexOf(name) !== index);
  if (same) throw new Error(`two mutants are called ${same}`);
  if (!args.includes('--sample')) {
    return MUTANTS.filter(
      (_, index) => words.length === 0 || words.some((word) => names[index].includes(word)),
    );
  }
  return SAMPLE.map((what) => {
    const found = MUTANTS.find((mutant) => mutant.what === what);
    if (!found) throw new Error(`no mutant is called: ${what}`);
    return found;
  });
}

await main(async (args) => {
  const mutants = chosen(args);
  if (mutants.length === 0) throw new Error('no mutant has such a name');
  const native = mutants.filter(isNative);
  const library = mutants.filter((mutant) => !isNative(mutant));
  // The tests that the sample's mutants name do, so that the others need not be run.
  const named = (test) =>
    !args.includes('--sample') || native.some(({ tests }) => tests.includes(test));
  step('The tests with a mutant that changes nothing');
  let nativeTests = [];
  if (native.length > 0) {
    await build(['tests']);
    nativeTests = await testsThatPass([...testPrograms().keys()].filter(named), native[0]);
  }
  if (library.length > 0) {
    await build(['native', 'typescript']);
    compileTests();
    await testsThatPass(new Set(library.flatMap(({ tests }) => tests)), library[0]);
  }
  step(`${mutants.length} mutants`);
  const results = [];
  await onAll(mutants, async (mutant, number) => {
    results.push(await judge(mutant, nativeTests, number));
  });
  const count = (result) => results.filter((each) => each === result).length;
  const share = count('noticed') / results.length;
  console.log(`noticed: ${(100 * share).toFixed(1)} % of ${results.length}`);
  console.log(`${count('noticed')} passed, ${results.length - count('noticed')} failed`);
  if (share < NOTICED_AT_LEAST || count('broken') > 0) process.exitCode = 1;
});
