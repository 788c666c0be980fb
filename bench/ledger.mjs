// Judges a ledger of soref at the end of a process's life, when nothing may be left.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {object} Ledger what soref.ledger() returns
 * @property {number} attached
 * @property {number} detached
 * @property {number} live
 * @property {number} descriptors
 * @property {Record<string, number>} references
 */

/**
 * Every counter that should be zero, or equal to another, and is not; one line each.
 * @param {Ledger} ledger
 */
export function ledgerProblems({ attached, detached, live, descriptors, references }) {
  const problems = [];
  if (attached !== detached) problems.push(`${attached} attached, but ${detached} detached`);
  if (live !== 0) problems.push(`${live} sockets live`);
  if (descriptors !== 0) problems.push(`${descriptors} descriptors open`);
  for (const [tag, count] of Object.entries(references)) {
    if (count !== 0) problems.push(`${count} references of ${tag}`);
  }
  return problems;
}

/**
 * The ledger at the end, or null without one. What is released in the turn after 'close' is not yet
 * in it; one second is given for that.
 * @param {(() => Ledger) | undefined} read
 */
export async function settledLedger(read) {
  if (read === undefined) return null;
  for (let turn = 0; turn < 100 && ledgerProblems(read()).length > 0; turn += 1) {
    await nextTurn();
    await sleep(10);
  }
  return read();
}
