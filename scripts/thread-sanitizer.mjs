// Runs the native tests whose environments are on several threads under ThreadSanitizer.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from './build.mjs';
import { THREADED_TESTS, THREADS_FOLDER } from './checked-builds.mjs';
import { root } from './processes.mjs';

const TIMEOUT = 300_000; // milliseconds a file

/** As a test file's result: whether ThreadSanitizer sees a race that is there. */
function checkSanitizer() {
  const file = 'test/sanitizers/racing_threads.cpp';
  const program = join(root, THREADS_FOLDER, 'racing_threads');
  const { stderr } = spawnSync(program, { encoding: 'utf8' });
  const seen = /ThreadSanitizer: data race/.test(stderr);
  console.log(`${seen ? 'ok' : 'FAILED'} ${file}`);
  const failures = seen ? [] : [`the race goes unseen: ${stderr || 'no report'}`];
  return { file, passed: seen ? 1 : 0, failed: failures.length, failures };
}

/** Runs them; each file's result. */
export async function runThreadTests({ only, runner }) {
  await build(['thread-tests']);
  const results = [checkSanitizer()];
  for (const name of THREADED_TESTS.filter((name) => name.includes(only))) {
    results.push(await runner.runNativeTest(join(THREADS_FOLDER, name), { timeout: TIMEOUT }));
  }
  return results;
}
