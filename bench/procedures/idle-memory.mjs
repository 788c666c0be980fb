// How much memory a connection takes that is open and idle: what the process has with so many, less
// what it had with none, each after garbage collection. A process is used once, since memory that
// it had before and has given up in part would be taken for none.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { countDescriptors, withIdle } from './load.mjs';

export { disagreements, start } from './saturate.mjs';
export const needsNewProcess = true;

/** Connections before the first look, so that what is loaded and compiled once is not counted. */
const FIRST = 500;

/** Every round begins with its own. */
export async function warmUp() {}

/** Resident bytes. A bare program has no garbage to collect, and does not know the signal. */
async function residentBytes({ process, contender }) {
  await sleep(100);
  if (!contender.name.startsWith('floor')) await process.nextLine(() => process.signal('SIGUSR2'));
  const status = readFileSync(`/proc/${process.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)[1]) * 1024;
}

export async function round(run, plan) {
  const held = plan.concurrency;
  const none = countDescriptors(run);
  const hold = (concurrency, look) => withIdle(run, plan, { concurrency, none }, look);
  await hold(Math.min(FIRST, held), () => {});
  const before = await residentBytes(run);
  const after = await hold(held, () => residentBytes(run));
  return { bytesEach: (after - before) / held, held, before, after, otherWork: 0 };
}
