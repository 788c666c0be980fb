// One comparison from beginning to end: measures, prints the table, writes the file, and judges.
// start.mjs and run.mjs are two ways to ask for it.
import { cpus, release } from 'node:os';
import { chooseContenders } from './contenders.mjs';
import { measure } from './measure.mjs';
import { choosePeers } from './peers.mjs';
import { choosePlacement, describePlacement } from './placement.mjs';
import { writeResults } from './results.mjs';
import { rows } from './rows.mjs';
import { formatTable, judgeGoals } from './table.mjs';

export const defaults = {
  rounds: 5,
  seconds: 1.5,
  warmUp: 0.25,
  firstWarmUp: 0.75,
  concurrency: 256,
};

/** More busy CPUs than this beside the benchmark, and its figures are not to be trusted. */
const QUIET = 0.2;

/**
 * Returns whether every process closed all its connections and every ledger balances.
 * @param {string} name  of the row
 * @param {{ command: string, engine?: string | undefined, only?: string[] | undefined,
 *   peers?: boolean | undefined } & Partial<typeof defaults>} request
 */
export async function compare(name, { command, engine, only, peers, ...settings }) {
  const row = rows[name];
  if (!row) throw new Error(`no row ${name}; there are ${Object.keys(rows).join(', ')}`);
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const others = peers ? choosePeers(row) : [];
  const contenders = chooseContenders({ row, engine, only, peers: others });
  const placement = choosePlacement();
  const plan = { ...defaults, ...row.settings, ...Object.fromEntries(given), row, placement };
  console.log(`${name}: ${row.title}`);
  console.log(`Contenders: ${contenders.map((contender) => contender.name).join(', ')}`);
  console.log(`${describePlacement(placement)}; ${plan.concurrency} connections at a time`);

  const { results, skipped } = await measure(contenders, plan);

  console.log(`\n${formatTable(results, row)}\n`);
  for (const line of judgeGoals(results, row)) console.log(line);
  console.log(`Medians of ${plan.rounds} rounds, ± half of the way from lowest to highest.`);
  console.log(`Measured: ${row.measures}.`);
  if (results.some(({ floor }) => floor !== null)) {
    console.log('The floor is a bare C++ program with the same engine.');
  }
  console.log('Ledger: attached/detached/open descriptors of soref, when its process had closed.');
  console.log(
    `Linux ${release()}, ${cpus()[0]?.model} × ${cpus().length}, Node ${process.version}`,
  );
  console.log(`All rounds: ${writeResults(name, { command, plan, results, skipped })}`);
  const otherWork = Math.max(...results.map((result) => result.otherWork));
  if (otherWork > QUIET) {
    console.log(
      `Note: other work kept ${otherWork.toFixed(2)} CPUs busy meanwhile. A server with less load`,
    );
    console.log(
      'takes fewer connections at a time and pays more for each: repeat on a quiet machine.',
    );
  }
  const problems = results.flatMap((result) =>
    result.problems.map((problem) => `${result.name}: ${problem}`),
  );
  for (const problem of problems) console.error(`FAILED ${problem}`);
  return problems.length === 0;
}
