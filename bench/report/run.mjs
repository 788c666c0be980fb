// Makes the report of what bench/results/ has: `npm run bench:report` writes bench/results/report.html
// and the chart of the README, docs/figures.svg.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main, root } from '../../scripts/processes.mjs';
import { rows } from '../rows.mjs';
import { page, summary } from './page.mjs';

const results = join(root, 'bench/results');

/** What was measured, in the order of the rows. */
function readComparisons() {
  const measured = Object.keys(rows).filter((name) => existsSync(join(results, `${name}.json`)));
  return new Map(
    measured.map((name) => [name, JSON.parse(readFileSync(join(results, `${name}.json`), 'utf8'))]),
  );
}

await main(() => {
  const comparisons = readComparisons();
  if (comparisons.size === 0) throw new Error('nothing was measured yet: run `npm run bench`');
  writeFileSync(join(results, 'report.html'), page(comparisons));
  writeFileSync(join(root, 'docs/figures.svg'), summary([...comparisons.values()]));
  console.log(`bench/results/report.html and docs/figures.svg, with ${comparisons.size} rows`);
});
