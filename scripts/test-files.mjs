// Runs one test file in a process of its own, reads its TAP, and counts. A crash, a time-out, a file
// without a test and an unbalanced ledger are failures too.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Parser } from 'tap-parser';
import { ledgerProblems } from '../bench/ledger.mjs';
import { root } from './processes.mjs';

/** Sanitizers stop at the first finding, leaks included. */
const SANITIZER_OPTIONS = {
  TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1',
  ASAN_OPTIONS: 'detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
};

/** Runs a program to its end; `output` is what it wrote to both of its streams, in order. */
function runToEnd(program, args, { timeout, env, folder = root }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: folder,
      // tap has a limit of its own, in seconds, which is too short on a busy machine. A little less than
      // ours lets it tell which test it was that did not end.
      env: { ...process.env, TAP_TIMEOUT: String(timeout / 1000 - 5), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // A group of its own, so that a time-out also ends what the test has started.
    });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    const timer = setTimeout(() => {
      timedOut = true;
      process.kill(-child.pid, 'SIGKILL');
    }, timeout);
    child.on('error', (error) => resolve({ stdout, stderr, ending: error.message }));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      let ending;
      if (timedOut) ending = `not finished after ${timeout / 1000} s`;
      else if (signal) ending = `ended by ${signal}`;
      else if (code !== 0) ending = `ended with exit code ${code}`;
      resolve({ stdout, stderr, ending });
    });
  });
}

/** The outermost tests of a TAP stream; a subtest's checks belong to their test. */
function readTap(text) {
  const tests = [];
  const empty = [];
  let final;
  const parser = new Parser();
  parser.on('child', (child) => {
    child.on('complete', ({ count, plan }) => {
      if (count === 0 && plan.skipReason === '') empty.push(`${child.name}: made no check`);
    });
  });
  parser.on('assert', (test) => tests.push(test));
  parser.on('complete', (summary) => (final = summary));
  parser.end(text);
  return { tests, empty, final };
}

function describe(test) {
  const { diag } = test;
  const at = diag?.at ? ` (${diag.at.fileName}:${diag.at.lineNumber})` : '';
  return `${test.fullname || test.name || 'unnamed test'}${at}`;
}

/** Turns what a test process left into counts, and prints the file's line. */
function judge(label, started, { stdout, stderr, ending }, extra) {
  const { tests, empty, final } = readTap(stdout);
  // A skipped or to-do test has not passed; it is shown, and nothing is gained by it.
  const idle = tests.filter((test) => test.skip || test.todo);
  const failures = tests.filter((test) => !test.ok && !test.todo).map(describe);
  failures.push(...empty);
  const good = tests.filter((test) => test.ok && !test.skip && !test.todo).length;
  const passed = good - empty.length;
  for (const failure of final.failures ?? []) {
    if (failure.tapError) failures.push(String(failure.tapError));
  }
  if (tests.length === 0) failures.push('the file has no test');
  if (final.bailout) failures.push(`bail out: ${final.bailout}`);
  failures.push(...extra);
  // A failed test makes the process fail too; that is not counted twice.
  if (ending && failures.length === 0) failures.push(ending);
  else if (ending?.startsWith('ended with') === false) failures.push(ending);
  const time = ((performance.now() - started) / 1000).toFixed(1);
  const skipped = idle.length > 0 ? `, ${idle.length} skipped` : '';
  const mark = failures.length > 0 ? 'FAILED' : 'ok';
  console.log(
    `${mark} ${label} (${passed} passed, ${failures.length} failed${skipped}, ${time} s)`,
  );
  if (failures.length > 0) console.log(`${stdout}${stderr}`.trimEnd().replace(/^/gm, '    '));
  return { file: label, passed, failed: failures.length, failures };
}

/** Runs one native test under its sanitizers. */
export async function runNativeTest(file, { timeout }) {
  const started = performance.now();
  const result = await runToEnd(join(root, file), [], { timeout, env: SANITIZER_OPTIONS });
  return judge(file, started, result, []);
}

/** What a ledger report says against the process, as a list of failures. */
function ledgerFailures(report) {
  if (!existsSync(report)) return ['the process ended without a report of its ledger'];
  const problems = ledgerProblems(JSON.parse(readFileSync(report, 'utf8')));
  return problems.map((problem) => `the ledger does not balance: ${problem}`);
}

/**
 * Runs one compiled test file.
 * @param {object} options timeout in milliseconds; env; nodeOptions; folder: where the file's path
 *   starts and the test runs; balancesLedger: check soref.ledger() at the end; findFaults: called when
 *   the process has ended, gives further failures
 */
export async function runTapFile(file, options) {
  const { timeout, env = {}, nodeOptions = [], folder = root, balancesLedger = false } = options;
  const started = performance.now();
  const label = env.SOREF_ENGINE ? `${file} [${env.SOREF_ENGINE}]` : file;
  const args = ['--enable-source-maps', ...nodeOptions];
  const further = options.findFaults ?? (() => []);
  if (!balancesLedger) {
    const result = await runToEnd(process.execPath, [...args, file], { timeout, env, folder });
    return judge(label, started, result, further());
  }
  const report = join(folder, 'build-stamps', `ledger-${process.pid}.json`);
  mkdirSync(dirname(report), { recursive: true });
  rmSync(report, { force: true });
  args.push('--require', join(folder, 'dist-test/api/ledger-balance.js'), file);
  const result = await runToEnd(process.execPath, args, {
    timeout,
    env: { ...env, SOREF_LEDGER_REPORT: report },
    folder,
  });
  const failures = [...ledgerFailures(report), ...further()];
  rmSync(report, { force: true });
  return judge(label, started, result, failures);
}
