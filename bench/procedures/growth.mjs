// What a message costs with many idle connections beside it, and with few.
import { countDescriptors, drive, withIdle } from './load.mjs';
import * as saturate from './saturate.mjs';

export { disagreements, start } from './saturate.mjs';

const FEW = 100;

export function warmUp(run, plan) {
  run.none = countDescriptors(run);
  return saturate.warmUp(run, plan);
}

export async function round(run, plan) {
  const at = (concurrency) =>
    withIdle(run, plan, { concurrency, none: run.none }, () => drive(run, plan, plan));
  const few = await at(Math.min(FEW, plan.row.others.concurrency));
  const many = await at(plan.row.others.concurrency);
  const fewUs = few.server.cpu_us / few.window.completed;
  const manyUs = many.server.cpu_us / many.window.completed;
  const otherWork = Math.max(few.otherWork, many.otherWork);
  return { growth: manyUs / fewUs, fewUs, manyUs, otherWork, few, many };
}
