// A server under half of the load at which node:net is at its limit: how long its clients wait.
import { apart, drive } from './load.mjs';
import * as saturate from './saturate.mjs';

export { disagreements, start } from './saturate.mjs';

/** Finds out the rate with the first contender, which is node:net unless others were chosen. */
export async function prepare([first], plan) {
  await saturate.warmUp(first, plan);
  const peak = await drive(first, plan, plan);
  plan.rate = Math.max(1, Math.round(peak.per_second / 2));
}

export function warmUp(run, plan) {
  return atRate(run, plan, { warmUp: 0, seconds: plan.firstWarmUp, warmsUp: true });
}

export async function round(run, plan) {
  return { ...(await atRate(run, plan, plan)), rate: plan.rate };
}

function atRate(run, plan, window) {
  const more = ['--rate', String(plan.rate)];
  const placement = apart(plan.placement);
  return drive(run, { ...plan, placement, concurrency: ROOM }, { ...window, more });
}

/** Connections under way, of which there are few unless the server is behind. */
const ROOM = 10_000;
