// The recorded counts of instructions, baseline.json, and the comparison with them. Counts depend on
// the compiler, so there is a record for each compiler that was recorded, and none for others.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/processes.mjs';

const FILE = join(root, 'bench/micro/baseline.json');

/** So much more than recorded is a regression. */
export const TOLERANCE = 0.05;

/** @typedef {Record<string, number>} Counts  seam → instructions for each operation */

/** @returns {Record<string, Counts>} by compiler */
function readAll() {
  return existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : {};
}

/** The record of a compiler, or undefined. @returns {Counts | undefined} */
export function baselineOf(compiler) {
  return readAll()[compiler];
}

/** Takes the counts as they are for the record of that compiler. @param {Counts} counts */
export function record(compiler, counts) {
  writeFileSync(FILE, `${JSON.stringify({ ...readAll(), [compiler]: counts }, null, 2)}\n`);
}

/**
 * @param {Counts} counts
 * @param {Counts} baseline
 * @returns {{ name: string, count: number | undefined, recorded: number | undefined,
 *   problem: string | undefined }[]} one for each seam of either
 */
export function compareCounts(counts, baseline) {
  const names = new Set([...Object.keys(baseline), ...Object.keys(counts)]);
  return [...names].map((name) => {
    const count = counts[name];
    const recorded = baseline[name];
    let problem;
    if (recorded === undefined) problem = 'is not in the baseline';
    else if (count === undefined) problem = 'is in the baseline, but is no seam';
    // Written so that what is no number is a problem too.
    else if (!(count <= recorded * (1 + TOLERANCE))) {
      problem = `takes ${((count / recorded - 1) * 100).toFixed(1)} % more than recorded`;
    }
    return { name, count, recorded, problem };
  });
}
