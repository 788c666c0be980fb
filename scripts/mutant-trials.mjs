// Makes one mutant and runs tests on it, for scripts/mutants.mjs. A mutant of src-native is one object
// file, or for a header those of the sources that use it, linked before the library of the sanitized
// tests, whose other objects stay as they are; one of lib is one file of a package of its own, below the
// API tests. All is made in build-mutants/.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { ledgerProblems } from '../bench/ledger.mjs';
import { ADDON } from './build.mjs';
import { availableEngines } from './engines.mjs';
import { root } from './processes.mjs';
import { stagePackage } from './staged-package.mjs';

const TESTS = join(root, 'build-tests');
/** Of a test that needs some seconds, on a machine that may be busy. */
const LIMIT = 100_000; // milliseconds
const ENVIRONMENT = {
  ASAN_OPTIONS: 'detect_leaks=1:detect_stack_use_after_return=1',
  // A few seeds of each simulated run do, for a mutant spoils every run.
  SOREF_SEEDS: '5',
};

/** Runs a program to its end. How it failed, or undefined; a program that hangs is killed. */
function failureOf(program, args, { cwd = root, env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...ENVIRONMENT, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // A group of its own, so that a time-out also ends what it has started.
    });
    let text = '';
    const collect = (chunk) => (text += chunk);
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    let hangs = false;
    const timer = setTimeout(() => {
      hangs = true;
      process.kill(-child.pid, 'SIGKILL');
    }, LIMIT);
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (hangs) resolve(`hangs, ${LIMIT / 1000} s`);
      else resolve(code === 0 ? undefined : (reasonIn(text) ?? `ends by ${signal ?? code}`));
    });
  });
}

/** What a failed program's output says first of these. */
function reasonIn(text) {
  const lines = [
    /^soref: invariant broken: (.*)/m,
    /(?:ERROR|SUMMARY): (?:Address|Leak)Sanitizer: (.*?)(?: \(| on | in |$)/m,
    /(runtime error: .*)/,
    /not ok \d+ - (.*?)(?: # time.*)?$/m,
    /(error: .*)/,
  ];
  return lines.map((line) => line.exec(text)?.[1]).find(Boolean);
}

// --- src-native

/** How the sanitized tests compile a source file, without what a mutant need not obey. */
function compileCommand(file) {
  const commands = JSON.parse(readFileSync(join(TESTS, 'compile_commands.json'), 'utf8'));
  const entry = commands.find((command) => command.file === join(root, file));
  if (!entry) throw new Error(`${file} is not compiled for the native tests`);
  const words = entry.command.trim().split(/\s+/);
  const kept = words.slice(0, words.indexOf('-o')).filter((word) => !/^-(W|O|g)/.test(word));
  return [...kept, '-w', '-O1', '-g0'];
}

/** How a test is linked, with objects that come before their likes in the library. */
function linkCommand(test, objects, program) {
  const file = join(TESTS, `CMakeFiles/${test}.dir/link.txt`);
  const words = readFileSync(file, 'utf8').trim().split(/\s+/);
  const at = words.indexOf('-o');
  const ours = ['-Wl,--strip-debug', ...objects, '-o', program];
  return [...words.slice(0, at), ...ours, ...words.slice(at + 2)];
}

/** Compiles a mutant; the function runs one native test on it, and tells how it fails. */
async function nativeTrial({ file, change, sources }, folder) {
  const original = join(root, file);
  // Where sources that include it by its path below src-native find it first.
  const mutated = join(folder, relative('src-native', file));
  mkdirSync(dirname(mutated), { recursive: true });
  // Reports name the source, and tests read reports.
  writeFileSync(mutated, `#line 1 "${original}"\n${change(readFileSync(original, 'utf8'))}`);
  const objects = [];
  for (const source of sources) {
    const object = join(folder, `${basename(source, '.cpp')}.o`);
    const input = source === file ? mutated : join(root, source);
    const [compiler, ...words] = compileCommand(source);
    const broken = await failureOf(compiler, [`-I${folder}`, ...words, '-c', input, '-o', object]);
    if (broken) throw new Error(`cannot be compiled: ${broken}`);
    objects.push(object);
  }
  return async (test) => {
    const program = join(folder, test);
    const [linker, ...words] = linkCommand(test, objects, program);
    const unlinked = await failureOf(linker, words, { cwd: TESTS });
    if (unlinked) throw new Error(`cannot be linked: ${unlinked}`);
    const failure = await failureOf(program, []);
    rmSync(program, { force: true });
    return failure;
  };
}

// --- lib

/** Lays a mutant out as a package; the function runs one API test on it with each engine. */
async function libraryTrial({ file, change }, folder) {
  stagePackage(folder.slice(root.length + 1), ADDON);
  const compiled = join(folder, file.replace(/^lib/, 'dist').replace(/\.ts$/, '.js'));
  writeFileSync(compiled, change(readFileSync(compiled, 'utf8')));
  const engines = availableEngines([]);
  const runOn = async (engine, test) => {
    const report = join(folder, `${test}.json`);
    rmSync(report, { force: true });
    const balance = ['--require', join(folder, 'dist-test/api/ledger-balance.js')];
    const env = { SOREF_ENGINE: engine, SOREF_LEDGER_REPORT: report };
    const args = [...balance, join(folder, `dist-test/api/${test}.test.js`)];
    const failure = await failureOf(process.execPath, args, { cwd: folder, env });
    if (failure) return failure;
    if (!existsSync(report)) return 'ends without a report of its ledger';
    return ledgerProblems(JSON.parse(readFileSync(report, 'utf8')))[0];
  };
  return async (test) => {
    for (const engine of engines) {
      const failure = await runOn(engine, test);
      if (failure) return `${engine}, ${failure}`;
    }
    return undefined;
  };
}

/**
 * Makes a mutant in a new folder below build-mutants/. Returns the function that runs a test on it, and
 * resolves to what failed, or undefined. Throws if the mutant cannot be made.
 */
export async function makeTrial(mutant, name) {
  const folder = join(root, 'build-mutants', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return mutant.file.startsWith('lib/')
    ? libraryTrial(mutant, folder)
    : nativeTrial(mutant, folder);
}

/** Removes what makeTrial() made. */
export function removeTrial(name) {
  rmSync(join(root, 'build-mutants', name), { recursive: true, force: true });
}
