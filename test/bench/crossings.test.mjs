// What the row of crossings counts is what happens: calls that a server makes more for a connection
// are shown as so many more, and a tool that is missing is told of.
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { chooseContenders } from '../../bench/contenders.mjs';
import { measure } from '../../bench/measure.mjs';
import { choosePlacement } from '../../bench/placement.mjs';
import { rows } from '../../bench/rows.mjs';
import { counters } from '../../bench/system-calls.mjs';
import { formatTable } from '../../bench/table.mjs';

const row = rows.crossings;
// One connection after the other, so that each takes its own turn and does not share its calls.
const plan = {
  ...{ row, rounds: 1, seconds: 0.5, warmUp: 0, firstWarmUp: 0.2, concurrency: 1 },
  placement: { server: null, load: choosePlacement().load.slice(0, 1) },
};

const OPTIONS = 100;

/** soref on epoll, in a V8 without a compiler and threads, whose calls are few and differ. */
function server(module) {
  const [{ command, env, ...contender }] = chooseContenders({ row, only: ['soref epoll'] });
  const [node, ...args] = command.map((part) => (part === 'soref' ? module : part));
  return {
    ...contender,
    env: { ...env, OPTIONS: String(OPTIONS) },
    command: [node, '--jitless', '--single-threaded', ...args],
  };
}

const plain = server('soref');
const busy = server(fileURLToPath(new URL('busy-net.cjs', import.meta.url)));

/** Measures both with one tool; undefined where the host does not let it count. */
async function measureBoth(t, counter) {
  const prepare = async (_runs, plan) => {
    plan.counter = counter;
    return [];
  };
  const procedure = { ...row.procedure, prepare };
  try {
    const { results } = await measure([plain, busy], { ...plan, row: { ...row, procedure } });
    for (const { problems } of results) t.strictSame(problems, []);
    return results.map(({ rounds: [{ counted }] }) => counted);
  } catch ({ message }) {
    t.comment(`${counter.name} is left out: ${message}`);
    return undefined;
  }
}

t.test('so many calls more for a connection are so many more', async (t) => {
  let usable = 0;
  for (const counter of counters) {
    const both = await measureBoth(t, counter);
    if (!both) continue;
    usable += 1;
    const [less, more] = both.map(({ systemCalls, connections }) => systemCalls / connections);
    t.ok(less >= 3, `${counter.name}: a wait, an accept and a close are in ${less} calls`);
    // How often libuv waits is its own affair: up to twice a turn, and a connection has two turns.
    const difference = more - less;
    t.ok(Math.abs(difference - OPTIONS) < 4, `${counter.name}: ${difference} for ${OPTIONS} more`);
    t.equal(both[0].intoCore, 0, 'all that a connection asks for is in shared memory');
    t.equal(
      both[1].intoCore,
      OPTIONS * both[1].connections,
      'calls into the core are told exactly',
    );
    for (const { turns, intoJavaScript, connections } of both) {
      t.ok(connections > 0 && intoJavaScript > 0);
      t.ok(intoJavaScript <= turns, `${intoJavaScript} calls into JavaScript in ${turns} turns`);
    }
  }
  if (process.env.CI) t.ok(usable > 0, 'something can count here');
});

t.test('what cannot be counted is told and left empty', async (t) => {
  const contenders = chooseContenders({ row, only: ['floor epoll'] });
  const { PATH } = process.env;
  process.env.PATH = '';
  const { results, skipped } = await measure(contenders, plan).finally(() => {
    process.env.PATH = PATH;
  });
  t.strictSame(results[0].problems, []);
  t.strictSame(
    skipped.map(({ name }) => name),
    counters.map(({ name }) => name),
  );
  for (const { reason } of skipped) t.match(reason, /system calls are not counted/);
  const [, , line] = formatTable(JSON.parse(JSON.stringify(results)), row).split('\n');
  t.match(line, /^floor epoll( +–){11}$/);
});
