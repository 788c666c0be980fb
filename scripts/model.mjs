// Runs Spin on the model of the reference protocol, test/model/model.pml, and on each of its mutants;
// then on what the real core did, and on spoiled copies of that.
//   npm run model -- [WORD…] [--long]
// WORD: only what has one of the words in its label. --long adds searches that take minutes. A
// search's folder in build-model/ keeps its trail; what failed says how to read it. The last line is
// `N passed, N failed`.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { CHECKS, LONG_CHECKS, MUTANTS } from '../test/model/checks.mjs';
import { build } from './build.mjs';
import { replayTasks } from './model-replay.mjs';
import { has, main, root } from './processes.mjs';

const FOLDER = join(root, 'test/model');
const BUILD = join(root, 'build-model');
const MAXIMUM_DEPTH = 1_000_000; // steps; an execution of the model has some hundred

/** Runs a program in a folder to its end; its output, of both streams. */
function run(program, args, folder, input = '') {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
    // A program that has read enough ends before its input does.
    child.stdin.on('error', () => {}).end(input);
    let text = '';
    const collect = (chunk) => (text += chunk);
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, text }));
  });
}

/** The remark that follows an invariant; Spin reports the file and line in its condition. */
function remarkOf(condition) {
  const [, name, line] = /(automaton|model)_line==(\d+)/.exec(condition) ?? [];
  if (!name) return condition;
  const lines = readFileSync(join(FOLDER, `${name}.pml`), 'utf8').split('\n');
  const rest = lines.slice(Number(line) - 1).join('\n');
  return /\/\* (\d+: .*) \*\//.exec(rest)?.[1] ?? condition;
}

/** What a search found: nothing, the remark of a broken invariant, a claim's name, or a trouble. */
function finding(text, claim) {
  const broken = /assertion violated (.*) \(at depth/.exec(text);
  if (broken) return remarkOf(broken[1]);
  if (/^pan:\d+: acceptance cycle/m.test(text)) return claim;
  if (/^pan:\d+: invalid end state/m.test(text)) return 'something waits for what never comes';
  if (/max search depth too small|out of memory|search not completed/i.test(text)) {
    return 'the search was not complete';
  }
  return /errors: 0/.test(text) ? undefined : `no answer: ${text.trim().split('\n').at(-1)}`;
}

async function search(task) {
  const folder = join(BUILD, `${task.claim ?? 'invariants'} ${task.label}`.replace(/\W+/g, '-'));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const defines = [`-DCONNECTIONS=${task.connections}`, `-DCOMMANDS=${task.commands}`];
  if (task.name) defines.push(`-DMUTANT_${task.name}`);
  const model = join(FOLDER, 'model.pml');
  const made = await run('spin', [...defines, '-a', model], folder);
  if (made.code !== 0) return { found: made.text.trim() };
  // A mutant is found soon, so its search is not worth being optimized.
  const kind = task.claim ? [] : ['-DSAFETY', '-DNOCLAIM'];
  const speed = task.name ? '-O0' : '-O2';
  const flags = ['-w', speed, '-DCOLLAPSE', '-DMEMLIM=6000', ...kind];
  const compiled = await run('gcc', [...flags, '-o', 'pan', 'pan.c'], folder);
  if (compiled.code !== 0) return { found: compiled.text.trim() };
  const claim = task.claim ? ['-a', '-N', task.claim] : [];
  const size = task.name ? '-w20' : '-w25';
  const { text } = await run('./pan', [`-m${MAXIMUM_DEPTH}`, size, ...claim], folder);
  const states = /(\d+) states, stored/.exec(text)?.[1] ?? 0;
  const trail = `cd ${folder} && spin -p -g -k model.pml.trail ${defines.join(' ')} ${model}`;
  return { found: finding(text, task.claim), count: `${states} states`, trail };
}

/** Has the automaton take the transitions of a log. */
async function replay({ label, input }) {
  const folder = join(BUILD, label.replace(/\W+/g, '-'));
  mkdirSync(folder, { recursive: true });
  const { text } = await run('spin', ['-B', join(FOLDER, 'replay.pml')], folder, input);
  const records = /accepted (\d+) records/.exec(text)?.[1];
  const broken = /failed assertion: assert\((.*)\)/.exec(text)?.[1];
  if (!records) return { found: broken ? remarkOf(broken) : text.trim() };
  return { count: `${records} records` };
}

function judge(task, { found, count = '', trail }) {
  const expected = task.rejectedBy;
  const ok = expected === undefined ? found === undefined : found?.startsWith(expected) === true;
  const verdict = expected === undefined ? (found ?? 'holds') : `rejected by ${found ?? 'nothing'}`;
  console.log(
    `${ok ? 'ok    ' : 'FAILED'} ${task.label.padEnd(52)} ${count.padEnd(16)} ${verdict}`,
  );
  if (!ok && expected) console.log(`       expected: ${expected}`);
  if (!ok && trail) console.log(`       its steps: ${trail}`);
  return ok;
}

/** The tasks of a list, with a label each that names its search. */
function labelled(list) {
  return list.map((task) => {
    const size = `${task.connections} connections, ${task.commands} commands`;
    return { ...task, label: task.name ? `mutant: ${task.what}` : `${task.what}: ${size}` };
  });
}

await main(async (args) => {
  for (const program of ['spin', 'gcc']) {
    if (!has(program)) throw new Error(`${program} is needed (apt-get install spin gcc)`);
  }
  const words = args.filter((arg) => !arg.startsWith('--'));
  const long = args.includes('--long') ? LONG_CHECKS : [];
  await build(['tests']);
  const logs = replayTasks(join(BUILD, 'log')).map((task) => ({ ...task, answer: replay }));
  const searches = labelled([...CHECKS, ...long, ...MUTANTS]);
  const all = [...searches.map((task) => ({ ...task, answer: search })), ...logs];
  const wanted = (task) =>
    words.length === 0 || words.some((word) => `${task.label} ${task.name ?? ''}`.includes(word));
  const queue = all.filter(wanted);
  if (queue.length === 0) throw new Error('no check has such a name');
  const results = [];
  const worker = async () => {
    for (let task = queue.shift(); task; task = queue.shift()) {
      results.push(judge(task, await task.answer(task)));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const passed = results.filter(Boolean).length;
  console.log(`${passed} passed, ${results.length - passed} failed`);
  if (passed < results.length) process.exitCode = 1;
});
