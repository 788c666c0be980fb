// Runs one program as plain Node does and with soref registered, and judges: the same transcript, the
// same end, a balanced ledger, and sockets that did go through soref.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ledgerProblems } from '../../bench/ledger.mjs';
import { root } from '../../scripts/processes.mjs';

const PROGRAM_LIMIT = 60_000; // milliseconds
const LEDGER = join(root, 'dist-test/api/ledger-balance.js');

/** Warnings name the process; two processes have two names. */
const anonymous = (text) => text.replace(/\(node:\d+\)/g, '(node)');

function runProgram(file, options, env) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, [...options, file], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // A group of its own, so that a time-out also ends what the program has started.
    });
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        texts[name] += text;
      });
    }
    let ending;
    const timer = setTimeout(() => {
      ending = `not finished after ${PROGRAM_LIMIT / 1000} s`;
      process.kill(-child.pid, 'SIGKILL');
    }, PROGRAM_LIMIT);
    child.on('error', (error) => resolve({ ...texts, ending: error.message, seconds: 0 }));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code !== 0) ending ??= `ended with ${code ?? signal}`;
      resolve({ ...texts, ending, seconds: (performance.now() - started) / 1000 });
    });
  });
}

/** What differs between two texts, as diff shows it; '' if nothing does. */
function difference(folder, expected, actual) {
  if (expected === actual) return '';
  const files = { plain: join(folder, 'plain'), soref: join(folder, 'soref') };
  writeFileSync(files.plain, expected);
  writeFileSync(files.soref, actual);
  const options = ['-U', '2', '--label', 'plain', '--label', 'soref'];
  return spawnSync('diff', [...options, files.plain, files.soref], { encoding: 'utf8' }).stdout;
}

function balanceProblems(report) {
  if (!existsSync(report)) return ['it left no report of its ledger'];
  const ledger = JSON.parse(readFileSync(report, 'utf8'));
  const unused = ledger.attached === 0 ? ['no socket was soref’s'] : [];
  return [
    ...unused,
    ...ledgerProblems(ledger).map((problem) => `the ledger does not balance: ${problem}`),
  ];
}

/** Runs the program without soref. Its transcript is what the others are compared with. */
export async function runPlain(app, env) {
  const result = await runProgram(app.file, [], env);
  const problems = [];
  if (result.ending) problems.push(result.ending);
  if (result.stdout === '') problems.push('it wrote nothing');
  if (problems.length > 0) problems.push(`${result.stdout}${result.stderr}`);
  return { ...result, problems };
}

/** Runs the program on soref with the given engine. */
export async function runRegistered(app, engine, plain, folder, env) {
  const report = join(folder, 'ledger.json');
  const options = ['--import', 'soref/register', '--require', LEDGER];
  const result = await runProgram(app.file, options, {
    ...env,
    SOREF_ENGINE: engine,
    SOREF_LEDGER_REPORT: report,
  });
  const problems = result.ending ? [result.ending] : [];
  if (result.ending?.startsWith('not finished') !== true) problems.push(...balanceProblems(report));
  for (const name of ['stdout', 'stderr']) {
    const changed = difference(folder, anonymous(plain[name]), anonymous(result[name]));
    if (changed !== '') problems.push(`another ${name}\n${changed}`);
  }
  return { ...result, problems };
}
