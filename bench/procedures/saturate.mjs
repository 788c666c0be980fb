// A server under as much load as it can take: its CPU time, its rate and the latency, in a window.
import { ServerProcess } from '../processes.mjs';
import { agree, drive } from './load.mjs';

export function start(contender, { row, placement }) {
  return ServerProcess.start(contender, { mode: row.mode, cpu: placement.server });
}

export async function warmUp(run, plan) {
  await drive(run, plan, { warmUp: 0, seconds: plan.firstWarmUp, warmsUp: true });
}

export function round(run, plan) {
  return drive(run, plan, plan);
}

export const disagreements = agree;
