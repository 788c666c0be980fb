// A server under as much load as it can take: how often soref crosses between JavaScript and its
// core in a turn of the loop, and what the process asks of the kernel for a connection. Counted from
// outside, so that nothing in soref counts for it.
import { chooseCounter, countSystemCalls } from '../system-calls.mjs';
import { drive } from './load.mjs';
import * as saturate from './saturate.mjs';

export { disagreements, warmUp } from './saturate.mjs';

const hasCore = ({ name }) => name.startsWith('soref');

/** soref's servers count crossings; node:net and the bare programs have no core to cross to. */
export function start(contender, plan) {
  const counting = { ...contender, command: [...contender.command, '--crossings'] };
  return saturate.start(hasCore(contender) ? counting : contender, plan);
}

/** Finds out what can count system calls here; returns what cannot, which is shown. */
export async function prepare(_runs, plan) {
  const { counter, refused } = await chooseCounter();
  plan.counter = counter;
  if (refused.length === 0) return [];
  const instead =
    counter === null
      ? 'system calls are not counted'
      : `${counter.name} counts system calls, and makes servers slow, which then take more connections a turn`;
  return refused.map(({ name, reason }) => ({ name, reason: `${reason}; ${instead}` }));
}

/** What a server of soref has counted so far; nothing of others. */
async function readCrossings({ contender, process }) {
  if (!hasCore(contender)) return {};
  return JSON.parse(await process.nextLine(() => process.signal('SIGUSR2'))).crossings;
}

/** Drives the server, and counts system calls where that is possible. */
async function driveCounted(run, plan) {
  const work = () => drive(run, plan, plan);
  if (plan.counter === null) return { result: await work(), calls: Number.NaN };
  return countSystemCalls(plan.counter, run.process.pid, work);
}

/** What is not counted is NaN. */
export async function round(run, plan) {
  const before = await readCrossings(run);
  const { result, calls } = await driveCounted(run, plan);
  const after = await readCrossings(run);
  const since = (key) => (after[key] ?? Number.NaN) - before[key];
  const connections = result.total.opened;
  const turns = since('turns');
  return {
    systemCalls: calls / connections,
    intoJavaScript: since('intoJavaScript') / turns,
    intoCore: since('intoCore') / turns,
    perTurn: connections / turns,
    ...{ window: result.window, otherWork: result.otherWork },
    counted: {
      ...{ connections, turns, systemCalls: calls, by: plan.counter?.name ?? null },
      ...{ intoJavaScript: since('intoJavaScript'), intoCore: since('intoCore') },
    },
  };
}
