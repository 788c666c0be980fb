// Measures contenders in turn, A B C A B C …, so that whatever else the machine does meets all of
// them, and takes medians over the rounds. Every process lives through all rounds, idle while others
// are measured, so that it is warm and its ledger covers everything that it served; a procedure that
// needs a new one each time says so. How a round is measured is the procedure's.
import { ledgerProblems } from './ledger.mjs';
import { endProgress, showProgress } from './progress.mjs';
import { median, spread } from './statistics.mjs';

/**
 * @typedef {object} Plan
 * @property {import('./rows.mjs').Row} row
 * @property {number} rounds
 * @property {number} seconds      the measured window, of each contender in each round
 * @property {number} warmUp       seconds before each window
 * @property {number} firstWarmUp  seconds of unmeasured load for each process before the first round
 * @property {number} concurrency  connections open at a time
 * @property {import('./placement.mjs').Placement} placement
 */

/** Starts one contender. */
async function start(contender, plan) {
  const process = await plan.row.procedure.start(contender, plan);
  return { contender, process, rounds: [], opened: 0, bytes: 0, problems: new Set(), report: null };
}

/** Starts what can be started. What the host cannot run is returned in `skipped`, with the reason. */
async function startAll(contenders, plan) {
  const runs = [];
  const skipped = [];
  for (const contender of contenders) {
    try {
      runs.push(await start(contender, plan));
    } catch (error) {
      if (!contender.optional) {
        for (const run of runs) run.process.kill();
        throw new Error(`${contender.name}: ${error.message}`);
      }
      skipped.push({ name: contender.name, reason: error.message });
    }
  }
  return { runs, skipped };
}

/** Ends a process, and checks that both sides agree and that nothing is left. */
async function finish(run, plan) {
  const report = await run.process.stop();
  const { problems } = run;
  for (const problem of plan.row.procedure.disagreements(run, report)) problems.add(problem);
  if (report.failed > 0) problems.add(`${report.failed} connections failed in the process`);
  if (report.closed === false) problems.add('the server could not close');
  if (report.ledger) for (const problem of ledgerProblems(report.ledger)) problems.add(problem);
  if (report.exitCode !== 0) problems.add(`the process ended with ${report.exitCode}`);
  run.report = report;
}

/** A new process in the place of the one that had the last round. */
async function replace(run, plan) {
  await finish(run, plan);
  const fresh = await start(run.contender, plan);
  Object.assign(run, { process: fresh.process, opened: 0, bytes: 0 });
}

function summarize(run, { row }) {
  const figures = row.figures.map((figure) => {
    const values = run.rounds.map(figure.of);
    return [figure.key, { median: median(values), spread: spread(values) }];
  });
  return {
    name: run.contender.name,
    floor: run.contender.floor,
    figures: Object.fromEntries(figures),
    otherWork: median(run.rounds.map(({ otherWork }) => otherWork)),
    ledger: run.report.ledger ?? null,
    problems: [...run.problems],
    rounds: run.rounds,
    report: run.report,
  };
}

function describe(round, { figures }) {
  const first = figures.find(({ of }) => Number.isFinite(of(round))) ?? figures[0];
  return `${first.of(round).toLocaleString('en', { maximumFractionDigits: first.digits })} ${first.title}`;
}

/**
 * @param {import('./contenders.mjs').Contender[]} contenders
 * @param {Plan} request
 */
export async function measure(contenders, request) {
  // Procedures add to the plan what they find out before the first round.
  const plan = { ...request };
  const { procedure } = plan.row;
  const { runs, skipped } = await startAll(contenders, plan);
  try {
    skipped.push(...((await procedure.prepare?.(runs, plan)) ?? []));
    for (const { name, reason } of skipped) console.log(`${name} is left out: ${reason}`);
    for (const run of runs) {
      showProgress(`warming up ${run.contender.name}`);
      await procedure.warmUp(run, plan);
    }
    for (let round = 1; round <= plan.rounds; round += 1) {
      for (const run of runs) {
        const where = `round ${round}/${plan.rounds} ${run.contender.name}`;
        if (process.stdout.isTTY) showProgress(`${where} …`);
        if (procedure.needsNewProcess && round > 1) await replace(run, plan);
        const result = await procedure.round(run, plan);
        run.rounds.push(result);
        showProgress(`${where}: ${describe(result, plan.row)}`);
      }
    }
    for (const run of runs) await finish(run, plan);
    await procedure.conclude?.(runs, plan);
    return { results: runs.map((run) => summarize(run, plan)), skipped };
  } catch (error) {
    for (const run of runs) run.process.kill();
    await procedure.abandon?.(plan);
    throw error;
  } finally {
    endProgress();
  }
}
