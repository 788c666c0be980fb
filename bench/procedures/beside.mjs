// The row's load on a server that has other load at the same time: how long its clients wait.
import { apart, drive, withOthers } from './load.mjs';

export { disagreements, start, warmUp } from './saturate.mjs';

export function round(run, plan) {
  const separate = { ...plan, placement: apart(plan.placement) };
  return withOthers(run, separate, plan.row.others, () => drive(run, separate, plan));
}
