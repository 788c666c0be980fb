// The row's load on a server that has other load at the same time: how long its clients wait.
import { drive, withOthers } from './load.mjs';

export { disagreements, start, warmUp } from './saturate.mjs';

export function round(run, plan) {
  return withOthers(run, plan, plan.row.others, () => drive(run, plan, plan));
}
