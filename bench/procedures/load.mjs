// How procedures use the load generator on a server, and what both must agree on in the end.
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Load } from '../processes.mjs';

const isBulk = ({ mode }) => ['bulk-to', 'bulk-from', 'pipe'].includes(mode);

/** Adds a run of the load generator to what the server must say at its end. */
function account(run, result) {
  run.opened += result.total.opened;
  for (const [error, count] of Object.entries(result.errors)) {
    run.problems.add(`${count} connections failed with ${error}`);
  }
  if (result.total.unfinished > 0) {
    run.problems.add(`${result.total.unfinished} connections never ended`);
  }
  return result;
}

/** How many CPUs were busy in the window with something other than these processes. */
function otherWork({ server, workers_busy: workers, machine_busy: machine }) {
  return Math.max(
    0,
    workers.reduce((rest, busy) => rest - busy, machine - server.busy),
  );
}

function loadArguments(run, { placement }, { mode, concurrency, warmUp, seconds, more }) {
  return [
    ...['--mode', mode, '--port', String(run.process.port)],
    ...['--server-pid', String(run.process.pid), '--cpus', placement.load.join(',')],
    ...['--concurrency', String(Math.max(concurrency, placement.load.length))],
    ...['--warm-up', String(warmUp), '--seconds', String(seconds), ...more],
  ];
}

/**
 * The load generator away from the server's CPU, where there is another: for rows about how long a
 * server lets its clients wait, and not about what it costs, for a worker beside it would take the
 * more from it the faster it answers.
 */
export function apart({ server, load }) {
  const others = load.filter((cpu) => cpu !== server);
  return { server, load: others.length > 0 ? others : load };
}

/** Drives a server once. A connection that failed is a problem, and is never just left out. */
export async function drive(run, plan, { warmUp, seconds, more = [], warmsUp = false }) {
  const { row, concurrency } = plan;
  const { mode, load = [] } = row;
  const request = { mode, concurrency, warmUp, seconds, more: [...load, ...more] };
  const result = account(run, await new Load(loadArguments(run, plan, request)).result);
  if (isBulk(row)) run.bytes += result.total.completed;
  if (result.window.completed === 0 && !warmsUp) run.problems.add('nothing was served in a window');
  return { ...result, otherWork: otherWork(result) };
}

const LONG = { warmUp: 0, seconds: 600 }; // it is ended when the measurement is over

/**
 * Loads a server while `body` runs; returns what that returns. The load that is measured goes first
 * on their CPUs: that it had to wait for the other one would look like the server's doing.
 */
export async function withOthers(run, plan, { mode, concurrency }, body) {
  const args = loadArguments(run, plan, { mode, concurrency, ...LONG, more: [] });
  const load = new Load(args, { yields: true });
  try {
    return await body();
  } finally {
    account(run, await load.stop());
  }
}

/** Descriptors that a process may have opened for itself meanwhile. */
const OWN = 8;

/** The descriptors that a server has open. */
export function countDescriptors({ process }) {
  return readdirSync(`/proc/${process.pid}/fd`).length;
}

async function until(run, reached) {
  const deadline = performance.now() + 60_000;
  while (!reached(countDescriptors(run))) {
    if (performance.now() > deadline) throw new Error(`${run.contender.name} takes too long`);
    await sleep(20);
  }
}

/**
 * Holds idle connections on a server while `body` runs, which begins when the server has accepted
 * all of them. `none` is how many descriptors it has without any connection.
 */
export async function withIdle(run, plan, { concurrency, none }, body) {
  await until(run, (open) => open <= none + OWN); // those of before have closed
  return withOthers(run, plan, { mode: 'hold', concurrency }, async () => {
    await until(run, (open) => open >= none + concurrency);
    return body();
  });
}

/** Where the load generator and the server, which has ended, say different things. */
export function agree(run, report) {
  const problems = [];
  if (report.accepted !== run.opened) {
    problems.push(`${run.opened} opened, but ${report.accepted} accepted`);
  }
  if (run.bytes > 0 && report.bytes !== undefined && report.bytes !== run.bytes) {
    problems.push(`${run.bytes} bytes moved, but ${report.bytes} in the server`);
  }
  return problems;
}
