// Measures contenders in turn, A B C A B C …, so that whatever else the machine does meets all of
// them, and takes medians over the rounds. Every server lives through all rounds, idle while others
// are measured, so that it is warm and its ledger covers everything that it served.
import { ledgerProblems } from './ledger.mjs';
import { runLoad, ServerProcess } from './processes.mjs';
import { endProgress, showProgress } from './progress.mjs';

/**
 * @typedef {object} Plan
 * @property {import('./rows.mjs').Row} row
 * @property {number} rounds
 * @property {number} seconds      the measured window, of each contender in each round
 * @property {number} warmUp       seconds before each window
 * @property {number} firstWarmUp  seconds of unmeasured load for each server before the first round
 * @property {number} concurrency  connections open at a time
 * @property {import('./placement.mjs').Placement} placement
 */

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** @param {Plan} plan @param {ServerProcess} server */
function loadArguments({ row, placement, concurrency }, server, { warmUp, seconds }) {
  return [
    ...['--mode', row.mode, '--port', String(server.port), '--server-pid', String(server.pid)],
    ...['--cpus', placement.load.join(','), '--concurrency', String(concurrency)],
    ...['--warm-up', String(warmUp), '--seconds', String(seconds)],
    ...row.load,
  ];
}

/** Starts what can be started. What the host cannot run is returned in `skipped`, with the reason. */
async function startAll(contenders, { row, placement }) {
  const runs = [];
  const skipped = [];
  for (const contender of contenders) {
    try {
      const server = await ServerProcess.start(contender, {
        mode: row.mode,
        cpu: placement.server,
      });
      runs.push({ contender, server, rounds: [], opened: 0, problems: new Set() });
    } catch (error) {
      if (!contender.optional) {
        for (const { server } of runs) server.kill();
        throw new Error(`${contender.name}: ${error.message}`);
      }
      skipped.push({ name: contender.name, reason: error.message });
    }
  }
  return { runs, skipped };
}

/** Drives one server once. A connection that failed is a problem, and is never just left out. */
async function drive(run, plan, times) {
  const result = await runLoad(loadArguments(plan, run.server, times));
  run.opened += result.total.opened;
  for (const [error, count] of Object.entries(result.errors)) {
    run.problems.add(`${count} connections failed with ${error}`);
  }
  if (result.total.unfinished > 0) {
    run.problems.add(`${result.total.unfinished} connections never ended`);
  }
  if (result.window.completed === 0) run.problems.add('nothing was served in a window');
  return result;
}

/** Ends a server, and checks that it and the load generator agree and that nothing is left. */
async function finish(run) {
  const report = await run.server.stop();
  const { problems, opened } = run;
  if (report.accepted !== opened) problems.add(`${opened} opened, but ${report.accepted} accepted`);
  if (report.failed > 0) problems.add(`${report.failed} connections failed in the server`);
  if (report.closed === false) problems.add('the server could not close');
  if (report.ledger) for (const problem of ledgerProblems(report.ledger)) problems.add(problem);
  if (report.exitCode !== 0) problems.add(`the server ended with ${report.exitCode}`);
  return report;
}

/** How many CPUs were busy with something else in the window. */
function otherWork({ server, workers_busy: workers, machine_busy: machine }) {
  return Math.max(
    0,
    workers.reduce((rest, busy) => rest - busy, machine - server.busy),
  );
}

function summarize(run, report) {
  const of = (pick) => median(run.rounds.map(pick));
  return {
    name: run.contender.name,
    floor: run.contender.floor,
    perSecond: of((round) => round.per_second),
    cpuUs: of((round) => round.server.cpu_us_each),
    p50Us: of((round) => round.latency_us.p50),
    p99Us: of((round) => round.latency_us.p99),
    otherWork: of(otherWork),
    ledger: report.ledger ?? null,
    problems: [...run.problems],
    rounds: run.rounds,
    report,
  };
}

/**
 * @param {import('./contenders.mjs').Contender[]} contenders
 * @param {Plan} plan
 */
export async function measure(contenders, plan) {
  const { runs, skipped } = await startAll(contenders, plan);
  for (const { name, reason } of skipped) console.log(`${name} is left out: ${reason}`);
  try {
    for (const run of runs) {
      showProgress(`warming up ${run.contender.name}`);
      await drive(run, plan, { warmUp: 0, seconds: plan.firstWarmUp });
    }
    for (let round = 1; round <= plan.rounds; round += 1) {
      for (const run of runs) {
        const where = `round ${round}/${plan.rounds} ${run.contender.name}`;
        if (process.stdout.isTTY) showProgress(`${where} …`);
        const result = await drive(run, plan, plan);
        run.rounds.push(result);
        const rate = Math.round(result.per_second).toLocaleString('en');
        const cpu = result.server.cpu_us_each.toFixed(1);
        showProgress(`${where}: ${rate} ${plan.row.unit}s/s, ${cpu} µs`);
      }
    }
    const results = [];
    for (const run of runs) results.push(summarize(run, await finish(run)));
    return { results, skipped };
  } catch (error) {
    for (const { server } of runs) server.kill();
    throw error;
  } finally {
    endProgress();
  }
}
