// `npm run soak`: hundreds of thousands of connections on the real kernel, one in ten misbehaving,
// on each engine; prints what grew and what was wrong, and writes soak-results/.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endProgress, showProgress } from '../../bench/progress.mjs';
import { runFacts } from '../../bench/results.mjs';
import { build } from '../../scripts/build.mjs';
import { availableEngines } from '../../scripts/engines.mjs';
import { main, root } from '../../scripts/processes.mjs';
import { setup } from '../../scripts/setup.mjs';
import { growth, judge } from './judgement.mjs';
import { soak } from './soak.mjs';

const CONNECTIONS = 2_000_000;
const SECONDS = 1800;
const ROUND = 20_000; // connections, where there are many
const FEWEST_ROUNDS = 12;
const RESULTS = 'soak-results';

const USAGE = `npm run soak -- [options]
  --connections N   over all engines, half of them on each (${CONNECTIONS})
  --engine E        io_uring or epoll alone
  --seconds S       begin no further round after that time (${SECONDS})
  --node PROGRAM    the Node that runs the server (this one)`;

function integer(name, text, fallback) {
  if (text === undefined) return fallback;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name}: ${text} is no number in range`);
  return Number(text);
}

function engines(wanted) {
  const failures = [];
  const available = availableEngines(failures);
  for (const { file, failures: reasons } of failures) throw new Error(`${file}: ${reasons}`);
  if (wanted === undefined) return available;
  if (!available.includes(wanted)) throw new Error(`soref has no engine ${wanted} here`);
  return [wanted];
}

/** One line for each measure of memory. */
function describeGrowth(course) {
  const bytes = (value) => Math.round(value).toLocaleString('en');
  return growth(course).map(
    ({ name, slope, error, bound, points }) =>
      `  ${name}: ${bytes(slope)} ± ${bytes(error)} bytes per 1,000 connections` +
      ` (standard error, ${points} samples; at most ${bytes(bound)})`,
  );
}

function describe({ engine, node, samples, clients, overflows, end: { counts, ledger } }) {
  const number = (value) => value.toLocaleString('en');
  const last = samples.at(-1);
  return [
    `${engine} on Node ${node}: ${number(last.connections)} connections in ${Math.round(last.seconds)} s`,
    `  accepted ${number(counts.accepted)}, saw 'close' once ${number(counts.closed)}` +
      `; attached ${number(ledger.attached)}, detached ${number(ledger.detached)}`,
    `  descriptors of the process: ${samples[0].descriptors} before, ${last.descriptors} after`,
    `  trouble: ${number(counts.errors.ECONNRESET ?? 0)} resets seen, ` +
      `${number(counts.cutOff)} requests cut off, ${number(counts.timedOut)} time-outs, ` +
      `${number(clients.killedProcesses ?? 0)} client processes killed, ` +
      `${number(overflows)} meetings with a full backlog, ` +
      `${number(ledger.acceptsPaused)} times no descriptor`,
  ];
}

/** Writes everything that was measured, and the picture of it. */
async function write(command, courses) {
  // Only here, so that a machine without the package can still soak.
  const { drawSoak } = await import('./picture.mjs');
  mkdirSync(join(root, RESULTS), { recursive: true });
  const soaks = courses.map((course) => ({
    growth: growth(course),
    problems: judge(course),
    ...course,
  }));
  const text = JSON.stringify({ ...runFacts(command), soaks });
  writeFileSync(join(root, RESULTS, 'soak.json'), `${text}\n`);
  writeFileSync(join(root, RESULTS, 'soak.svg'), drawSoak(courses));
}

await main(async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      connections: { type: 'string' },
      engine: { type: 'string' },
      seconds: { type: 'string' },
      node: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(USAGE);
  const connections = integer('connections', values.connections, CONNECTIONS);
  const seconds = integer('seconds', values.seconds, SECONDS);
  setup();
  await build(['native', 'bench', 'typescript']);
  const chosen = engines(values.engine);
  const courses = [];
  let sound = true;
  const share = Math.ceil(connections / chosen.length);
  const rounds = Math.max(FEWEST_ROUNDS, Math.round(share / ROUND));
  for (const engine of chosen) {
    const deadline = Date.now() + (1000 * seconds) / chosen.length;
    const request = { engine, connections: share, rounds, deadline, node: values.node };
    const course = await soak({ ...request, onProgress: showProgress });
    courses.push(course);
    endProgress();
    for (const line of [...describe(course), ...describeGrowth(course)]) console.log(line);
    const problems = judge(course);
    for (const problem of problems) console.error(`FAILED ${engine}: ${problem}`);
    if (problems.length > 0) sound = false;
  }
  await write(`npm run soak -- ${args.join(' ')}`.trim(), courses);
  console.log(`All samples and their picture: ${RESULTS}/`);
  if (!sound) process.exitCode = 1;
});
