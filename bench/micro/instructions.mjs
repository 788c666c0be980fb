// `npm run instructions`: counts the instructions of the native seams and compares them with the
// recorded ones; more than 5 % above is a failure. Unlike seconds, the counts are the same on a busy
// machine, but they depend on the compiler: with one that baseline.json does not have they are shown
// and not compared, which in continuous integration (CI=1) is a failure too.
// `-- --assertions` shows how many of them are the assertions'. `-- --record` takes the counts as they
// are for the new baseline. Last line: `N passed, N failed`.
import { build } from '../../scripts/build.mjs';
import { has, main } from '../../scripts/processes.mjs';
import { setup } from '../../scripts/setup.mjs';
import { baselineOf, compareCounts, record } from './baseline.mjs';
import { compiler, instructionsOf, seamNames, UNASSERTED } from './seam-program.mjs';

function countAll() {
  const counts = {};
  for (const name of seamNames()) counts[name] = Math.round(instructionsOf(name) * 10) / 10;
  return counts;
}

function show(rows) {
  for (const { name, count, recorded, problem } of rows) {
    const change = count && recorded ? `${((count / recorded - 1) * 100).toFixed(1)} %` : '';
    const cells = [name.padEnd(12), String(count ?? '–').padStart(8)];
    cells.push(`recorded ${recorded ?? '–'}`.padEnd(18), change.padStart(7), problem ?? '');
    console.log(`${problem ? 'FAILED' : 'ok    '} ${cells.join(' ')}`.trimEnd());
  }
}

/** What the assertions cost, by counting the seams once more without them. */
function showAssertions(counts) {
  for (const [name, count] of Object.entries(counts)) {
    const without = instructionsOf(name, UNASSERTED);
    const share = (((count - without) / count) * 100).toFixed(1);
    const cells = [String(count).padStart(8), `without ${without.toFixed(1)}`.padEnd(18)];
    console.log(`${name.padEnd(12)} ${cells.join(' ')} ${share.padStart(5)} %`);
  }
}

await main(async (args) => {
  const unknown = args.find((arg) => !['--record', '--assertions'].includes(arg));
  if (unknown) throw new Error(`no option ${unknown}; there are --record and --assertions`);
  if (!has('valgrind')) throw new Error('valgrind is not installed, and it is what counts');
  setup();
  await build(['micro']);
  const counts = countAll();
  if (args.includes('--assertions')) {
    await build(['unasserted']);
    showAssertions(counts);
    return;
  }
  const madeWith = compiler();
  if (args.includes('--record')) {
    record(madeWith, counts);
    console.log(`recorded for ${madeWith}: ${JSON.stringify(counts)}`);
    return;
  }
  console.log(`Instructions for each operation, compiled with ${madeWith}`);
  const baseline = baselineOf(madeWith);
  if (baseline === undefined) {
    for (const [name, count] of Object.entries(counts)) console.log(`${name}: ${count}`);
    console.log('There is no baseline for this compiler, so nothing was compared.');
    console.log('`npm run instructions -- --record` makes one, from sources that are known good.');
    const failed = process.env.CI === '1' ? 1 : 0;
    console.log(`0 passed, ${failed} failed`);
    process.exitCode = failed;
    return;
  }
  const rows = compareCounts(counts, baseline);
  show(rows);
  const failed = rows.filter(({ problem }) => problem !== undefined).length;
  console.log(`${rows.length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
});
