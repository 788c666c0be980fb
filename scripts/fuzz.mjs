// Fuzzes the core: what hostile JavaScript writes into shared memory, addresses in both directions,
// sequences of events. Each fuzzer starts from the inputs in test/fuzz/corpus/ and, where it has run
// before, from what it found then.
//   npm run fuzz -- [FUZZER…] [--seconds N] [--keep]
//     FUZZER       a word of its name: command_ring, address_codec, event_sequence; all without one
//     --seconds N  how long each runs; 10
//     --keep       takes the inputs that reached something new into test/fuzz/corpus/, as few as do
//     --seed N     what it makes of its inputs at random; another each time without
// For a long run: npm run fuzz -- --seconds 3600. The last line is `N passed, N failed`.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { FAULTY_FUZZER, FUZZERS_FOLDER, fuzzers } from './checked-builds.mjs';
import { main, root, run, step } from './processes.mjs';
import { setup } from './setup.mjs';
import { report } from './test.mjs';

const CORPUS = 'test/fuzz/corpus';
const FOUND = 'build-fuzz/found';
const INPUT_TIMEOUT = 120; // seconds for one input, of which it takes two at most
const STARTING = 240; // seconds that a fuzzer may take beyond its time

/** What each fuzzer's inputs can be. Longer ones reach nothing that shorter ones do not. */
const OPTIONS = {
  address_codec_fuzzer: ['-max_len=200', '-dict=test/fuzz/address_codec.dict'],
  command_ring_fuzzer: ['-max_len=800', '-len_control=10'],
  event_sequence_fuzzer: ['-max_len=1500', '-len_control=10'],
};

const options = {
  seconds: { type: 'string', default: '10' },
  seed: { type: 'string', default: '0' },
  keep: { type: 'boolean', default: false },
};

const program = (name) => join(root, FUZZERS_FOLDER, name);
const environment = {
  ...process.env,
  ASAN_OPTIONS: 'detect_leaks=1:allow_addr2line=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
};

/** The folders of a fuzzer's inputs: those it found here, and those that are kept. */
function foldersOf(name) {
  const folders = [`${FOUND}/${name}`, `${CORPUS}/${name}`];
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  return folders;
}

/** As a test file's result: whether a fuzzer finds what is not far. */
function checkFuzzing() {
  const file = 'test/sanitizers/faulty_fuzzer.cpp';
  const args = ['-runs=1000000', '-seed=1', '-artifact_prefix=build-fuzz/faulty_fuzzer-'];
  const { stderr } = spawnSync(join(root, FAULTY_FUZZER), args, {
    cwd: root,
    env: environment,
    encoding: 'utf8',
  });
  const isFound = /heap-buffer-overflow/.test(stderr);
  console.log(`${isFound ? 'ok' : 'FAILED'} ${file}`);
  const failures = isFound ? [] : [`the fault goes unseen: ${stderr.slice(-2000)}`];
  return { file, passed: isFound ? 1 : 0, failed: failures.length, failures };
}

/** Runs one; as a test file's result. What it stopped at is kept, with how to repeat it. */
function runFuzzer(name, { seconds, seed }) {
  const file = `test/fuzz/${name}.cpp`;
  const args = [`-max_total_time=${seconds}`, `-timeout=${INPUT_TIMEOUT}`, `-seed=${seed}`];
  args.push('-print_final_stats=1', `-artifact_prefix=build-fuzz/${name}-`);
  return new Promise((resolve) => {
    const child = spawn(program(name), [...args, ...OPTIONS[name], ...foldersOf(name)], {
      cwd: root,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: (seconds + STARTING) * 1000,
      killSignal: 'SIGKILL',
    });
    let text = '';
    const collect = (chunk) => {
      text = (text + chunk).slice(-32_768);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('close', (code, signal) => {
      const inputs = Number(text.match(/stat::number_of_executed_units: *(\d+)/)?.[1] ?? 0);
      const covered = text.match(/ cov: (\d+)/g)?.at(-1) ?? '';
      const passed = code === 0 && inputs > 0;
      console.log(`${passed ? 'ok' : 'FAILED'} ${file} (${inputs} inputs,${covered})`);
      if (passed) return resolve({ file, passed: 1, failed: 0, failures: [] });
      // Not how it got there.
      const failures = text.split('\n').filter((line) => !/^#\d+\s|^\s*NEW_FUNC/.test(line));
      const input = text.match(/Test unit written to (?:\.\/)?(\S+)/)?.[1];
      if (signal) failures.push(`it was ended by ${signal}`);
      if (input) failures.push(`replay: SOREF_TRACE=1 ${FUZZERS_FOLDER}/${name} ${input}`);
      resolve({ file, passed: 0, failed: 1, failures });
    });
  });
}

/**
 * Builds and runs fuzzers.
 * @param {object} options names: all without; seconds: for each; seed: 0 for a new one
 * @returns each one's result
 */
export async function fuzz({ names = fuzzers(), seconds, seed = 0 }) {
  await build(['fuzzers']);
  step(`Fuzzing for ${seconds} s each: ${names.join(', ')}`);
  const queue = [...names];
  const results = [checkFuzzing()];
  const work = async () => {
    for (let name = queue.shift(); name; name = queue.shift()) {
      results.push(await runFuzzer(name, { seconds, seed }));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results;
}

/** Puts few inputs into the corpus that together reach all code that is reached. */
function keep(name) {
  const [found, kept] = foldersOf(name);
  const merged = `build-fuzz/merged-${name}`;
  rmSync(join(root, merged), { recursive: true, force: true });
  mkdirSync(join(root, merged));
  const limit = OPTIONS[name].filter((option) => option.startsWith('-max_len'));
  const merge = ['-set_cover_merge=1', '-use_counters=0'];
  run(program(name), [...merge, ...limit, merged, kept, found], {
    env: environment,
    quiet: true,
  });
  rmSync(join(root, kept), { recursive: true });
  renameSync(join(root, merged), join(root, kept));
  console.log(`${kept}: ${readdirSync(join(root, kept)).length} inputs`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async (args) => {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
    if (!(seconds > 0 && seed >= 0)) throw new Error('--seconds and --seed take a number');
    const words = positionals.length > 0 ? positionals : [''];
    const names = fuzzers().filter((name) => words.some((word) => name.includes(word)));
    if (names.length === 0) throw new Error(`no such fuzzer; there are ${fuzzers().join(', ')}`);
    setup();
    const results = await fuzz({ names, seconds, seed });
    if (values.keep) names.forEach(keep);
    report(results);
  });
}
