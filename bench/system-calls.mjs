// Counts the system calls of a process and all its threads with a tool that need not be there:
// perf(1), which a server does not notice, or else strace(1), which makes it slow.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {object} Counter
 * @property {string} name   of the program
 * @property {(pid: number) => string[]} args
 * @property {(pid: number, child: import('node:child_process').ChildProcess) => Promise<unknown>} begin
 *   resolves once everything is counted
 * @property {(child: import('node:child_process').ChildProcess) => Promise<unknown>} end
 *   resolves once nothing is counted any more
 * @property {RegExp} total  where in what it writes to stderr the number is
 */

/** Tells perf to begin or to end, and awaits its answer. */
async function control({ stdio: [, , , commands, answers] }, command) {
  const answered = once(answers, 'data');
  commands.write(`${command}\n`);
  await answered;
}

/** Whether strace has every thread of the process. */
function isTraced(pid) {
  const isUntraced = (thread) =>
    /^TracerPid:\s+0$/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'));
  return !readdirSync(`/proc/${pid}/task`).some(isUntraced);
}

/** @type {Counter[]} */
export const counters = [
  {
    name: 'perf',
    args: (pid) => [
      ...['stat', '--field-separator', ';', '--event', 'raw_syscalls:sys_enter'],
      ...['--delay', '-1', '--control', 'fd:3,4', '--pid', String(pid)],
    ],
    begin: (_pid, child) => control(child, 'enable'),
    end: (child) => control(child, 'disable'),
    total: /^(\d+);;raw_syscalls:sys_enter;/m,
  },
  {
    name: 'strace',
    args: (pid) => ['-f', '-c', '-p', String(pid)],
    begin: async (pid, child) => {
      const lives = () => child.exitCode === null && child.signalCode === null;
      while (lives() && !isTraced(pid)) await sleep(10);
    },
    end: async () => {},
    total: /^100\.00 +[\d.]+ +\d+ +(\d+) .*total$/m,
  },
];

/**
 * Runs `body`, and returns its result with the number of system calls that any thread of the
 * process made meanwhile. Rejects if the program is missing, or may not count.
 * @template T
 * @param {Counter} counter
 * @param {number} pid
 * @param {() => Promise<T>} body
 * @returns {Promise<{ result: T, calls: number }>}
 */
export async function countSystemCalls({ name, args, begin, end, total }, pid, body) {
  const child = spawn(name, args(pid), {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
  for (const pipe of child.stdio) pipe?.on('error', () => {}); // that it has gone is told by its end
  const ended = once(child, 'close');
  const gone = ended.then(() => Promise.reject(new Error(output.trim().split('\n')[0])));
  gone.catch(() => {}); // in the end it is to go
  try {
    await Promise.race([gone, begin(pid, child)]);
    const result = await Promise.race([gone, body()]);
    await Promise.race([gone, end(child)]);
    child.kill('SIGINT');
    await ended;
    return { result, calls: Number(total.exec(output)?.[1]) };
  } finally {
    child.kill('SIGKILL');
  }
}

/** The first that can count here, tried on this process, and why those before it cannot. */
export async function chooseCounter() {
  const refused = [];
  for (const counter of counters) {
    try {
      const { calls } = await countSystemCalls(counter, process.pid, () => sleep(10));
      if (!(calls > 0)) throw new Error('it has counted nothing');
      return { counter, refused };
    } catch ({ message }) {
      refused.push({ name: counter.name, reason: message });
    }
  }
  return { counter: null, refused };
}
