// A client that opens one connection after the other, each with a request and its response, on the
// CPU that servers have in other rows; a bare C++ server on another CPU answers all contenders. The
// client itself says what it did and what CPU time it took, at both ends of the window.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { programs } from '../contenders.mjs';
import { ClientProcess, ServerProcess } from '../processes.mjs';

const answering = {
  name: 'the answering server',
  command: [join(programs, 'floor_epoll')],
  env: {},
};

export function start(contender, { placement }) {
  return ClientProcess.start(contender, { cpu: placement.server });
}

/** The answering server lives as long as the comparison. */
export async function prepare(_runs, plan) {
  const cpu = plan.placement.server === null ? null : plan.placement.load[0];
  plan.answering = await ServerProcess.start(answering, { mode: plan.row.mode, cpu });
}

export async function warmUp(run, plan) {
  await window(run, plan, { warmUp: 0, seconds: plan.firstWarmUp });
}

export function round(run, plan) {
  return window(run, plan, plan);
}

/** Seconds of CPU time that the machine, and a process, have used. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const [cpu] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user, nice, system, , , irq, softirq, steal] = cpu.split(/\s+/).slice(1).map(Number);
  const ticks = 100; // a second, on every Linux that Node runs on
  return {
    process: (Number(fields[11]) + Number(fields[12])) / ticks,
    machine: (user + nice + system + irq + softirq + steal) / ticks,
  };
}

async function window(run, { concurrency, answering }, { warmUp, seconds }) {
  run.process.run(answering.port, concurrency);
  await sleep(warmUp * 1000);
  const at = async () => ({
    report: await run.process.report(),
    time: performance.now(),
    cpu: cpuSeconds(answering.pid),
  });
  const begin = await at();
  await sleep(seconds * 1000);
  const end = await at();
  const rested = await run.process.rest();
  const since = (pick) => pick(end) - pick(begin);
  const length = since(({ time }) => time) / 1000;
  const completed = since(({ report }) => report.completed);
  const cpuUs = since(({ report }) => report.userCpuUs + report.systemCpuUs);
  const others = since(({ cpu }) => cpu.machine - cpu.process);
  if (completed === 0) run.problems.add('nothing was completed in a window');
  run.opened = rested.opened;
  return {
    window: { seconds: length, completed },
    per_second: completed / length,
    server: { cpu_us: cpuUs, busy: cpuUs / 1e6 / length },
    otherWork: Math.max(0, (others - cpuUs / 1e6) / length),
  };
}

/** What a client and the answering server say is compared by conclude(), for all clients at once. */
export function disagreements(_run, report) {
  const { opened, completed, failed } = report;
  const ended = completed + failed;
  return opened === ended ? [] : [`${opened} opened, but ${ended} ended`];
}

export async function conclude(runs, plan) {
  const report = await plan.answering.stop();
  const opened = runs.reduce((sum, run) => sum + run.opened, 0);
  if (report.accepted === opened) return;
  for (const run of runs) {
    run.problems.add(`all opened ${opened}, but ${report.accepted} were accepted`);
  }
}

export function abandon({ answering }) {
  answering?.kill();
}
