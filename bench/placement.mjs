// Decides which CPUs the server and the load generator run on. The server has one CPU. A connection
// costs a client three times the CPU of a bare server, so a few other CPUs are needed to saturate
// it; where there are not enough, one of the load generator's workers shares the server's CPU.
// Every contender is placed alike, and CPU time per connection is what is compared.
import { readFileSync } from 'node:fs';
import { has } from '../scripts/processes.mjs';

const ENOUGH_FOR_LOAD = 5;

/** The CPUs this process may run on; containers often have fewer than the machine. */
function allowedCpus() {
  const status = readFileSync('/proc/self/status', 'utf8');
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '0';
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}

/**
 * @typedef {object} Placement
 * @property {number | null} server  the server's CPU, null if it cannot be pinned
 * @property {number[]} load         a CPU for each worker of the load generator
 */

/** @returns {Placement} */
export function choosePlacement() {
  const cpus = allowedCpus();
  const server = cpus.at(-1) ?? 0;
  const others = cpus.slice(0, -1).slice(0, ENOUGH_FOR_LOAD);
  const load = others.length < ENOUGH_FOR_LOAD ? [...others, server] : others;
  return { server: has('taskset') ? server : null, load };
}

/** One line for people. @param {Placement} placement */
export function describePlacement({ server, load }) {
  const where = server === null ? 'not pinned (no taskset)' : `on CPU ${server}`;
  return `server ${where}, load generator on CPU ${load.join(' and ')}`;
}
