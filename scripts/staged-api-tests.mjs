// Runs the API tests on one engine under a trial: with an addon that is built differently, or with
// options of node that try it harder. They run in a package of their own, so that trials can go on at
// the same time.
import { basename } from 'node:path';
import { step } from './processes.mjs';
import { testFiles } from './test.mjs';

const TIMEOUT = 360_000; // milliseconds a file: what takes time here is not the test's own doing

/** These prove nothing here: they run TypeScript's compiler, and never soref. */
const LEFT_OUT = ['types'];

/**
 * @param {Function} trial (engine): the absolute `folder` of a staged package; `conditionsFor(name)`:
 *   further options of runTapFile for that file; `lateFindings()`: what was found in the end that no
 *   file has been blamed for; `takes(name)`: whether it tries that file
 * @param {string} engine the only one
 * @param {object} options only: a word of the files' names; runner: the module test-files.mjs
 * @returns each file's result
 */
export async function runStagedApiTests(trial, engine, { only, runner }) {
  const { folder, conditionsFor, lateFindings, takes } = await trial(engine);
  step(`API tests with SOREF_ENGINE=${engine} in ${folder}`);
  const results = [];
  for (const file of testFiles('dist-test/api', '.test.js', only)) {
    const name = basename(file, '.test.js');
    if (LEFT_OUT.includes(name) || !takes(name)) continue;
    const { env, ...conditions } = conditionsFor(name);
    results.push(
      await runner.runTapFile(file, {
        ...conditions,
        env: { ...env, SOREF_ENGINE: engine },
        timeout: TIMEOUT,
        balancesLedger: true,
        folder,
      }),
    );
  }
  const failures = lateFindings();
  if (failures.length > 0) results.push({ file: folder, passed: 0, failed: 1, failures });
  return results;
}
