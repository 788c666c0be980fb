// Starts and ends the processes of a measurement: those that are measured, and the load generators.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { programs } from './contenders.mjs';

const START_TIMEOUT = 10_000; // milliseconds
const ANSWER_TIMEOUT = 30_000;
const STOP_TIMEOUT = 15_000;

/** A program that is measured, in another process, from start() to stop(). */
class MeasuredProcess {
  #child;
  #ended;
  #lines = [];
  #onLine = null;
  #errors = '';

  constructor(child) {
    this.#child = child;
    this.#ended = once(child, 'close');
    this.#ended.catch(() => {});
    child.stderr.setEncoding('utf8').on('data', (text) => (this.#errors += text));
    child.stdin.on('error', () => {}); // that it has gone is told by its end
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#lines.push(line);
      this.#onLine?.(line);
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** Starts the contender's command with further arguments, pinned to a CPU unless that is null. */
  static spawn({ command, env }, args, cpu) {
    const pinned = cpu === null ? command : ['taskset', '-c', String(cpu), ...command];
    const [program = '', ...rest] = [...pinned, ...args];
    // The channel carries nothing: it tells a Node server that its parent has gone.
    const stdio = ['pipe', 'pipe', 'pipe', 'ipc'];
    return new this(spawn(program, rest, { env: { ...process.env, ...env }, stdio }));
  }

  /** Calls `act` and resolves with the next line that the process prints. */
  async nextLine(act, timeout = ANSWER_TIMEOUT) {
    let timer;
    const failure = (reason) => new Error(this.#errors.trim() || reason);
    try {
      return await new Promise((resolve, reject) => {
        this.#onLine = resolve;
        this.#ended.then(
          ([code, signal]) => reject(failure(`ended with ${signal ?? code}`)),
          ({ message }) => reject(failure(message)),
        );
        const silent = () => reject(failure(`no answer after ${timeout / 1000} s`));
        timer = setTimeout(silent, timeout);
        act();
      });
    } catch (error) {
      this.kill();
      throw error;
    } finally {
      clearTimeout(timer);
      this.#onLine = null;
    }
  }

  /** @param {NodeJS.Signals} name */
  signal(name) {
    this.#child.kill(name);
  }

  write(text) {
    this.#child.stdin.write(text);
  }

  endInput() {
    this.#child.stdin.end();
  }

  /** Awaits the end that was asked for, and returns the final report with the exit code. */
  async finalReport() {
    const timer = setTimeout(() => this.kill(), STOP_TIMEOUT);
    const [exitCode, signal] = await this.#ended;
    clearTimeout(timer);
    const line = this.#lines.at(-1);
    if (!line?.startsWith('{')) {
      throw new Error(`no final report (${signal ?? exitCode}): ${this.#errors.trim()}`);
    }
    return { ...JSON.parse(line), exitCode };
  }

  /** For a run that has failed already. */
  kill() {
    this.#child.kill('SIGKILL');
  }
}

/** A server, which listens on `port`. */
export class ServerProcess extends MeasuredProcess {
  port = 0;

  /**
   * Resolves once the server listens; rejects with what it wrote to stderr if it does not.
   * @param {import('./contenders.mjs').Contender} contender
   * @param {{ mode: string, cpu: number | null }} options
   */
  static async start(contender, { mode, cpu }) {
    const server = ServerProcess.spawn(contender, ['--mode', mode], cpu);
    const line = await server.nextLine(() => {}, START_TIMEOUT);
    const port = /^listening (\d+)$/.exec(line)?.[1];
    if (port === undefined) throw new Error(`"${line}" instead of a port`);
    server.port = Number(port);
    return server;
  }

  /** Ends the server and returns its final report, with its exit code. */
  stop() {
    this.signal('SIGTERM');
    return this.finalReport();
  }
}

/** A client, which connects when it is told to. */
export class ClientProcess extends MeasuredProcess {
  /** @param {import('./contenders.mjs').Contender} contender @param {{ cpu: number | null }} options */
  static async start(contender, { cpu }) {
    const client = ClientProcess.spawn(contender, [], cpu);
    const line = await client.nextLine(() => {}, START_TIMEOUT);
    if (line !== 'ready') throw new Error(`"${line}" instead of "ready"`);
    return client;
  }

  /** Keeps so many connections to the port going from now on. */
  run(port, concurrency) {
    this.write(`run ${port} ${concurrency}\n`);
  }

  /** Its counts and its CPU time at this moment. */
  async report() {
    return JSON.parse(await this.nextLine(() => this.write('report\n')));
  }

  /** Lets what is open come to its end, opens no more, and returns the report then. */
  async rest() {
    return JSON.parse(await this.nextLine(() => this.write('rest\n')));
  }

  stop() {
    this.endInput();
    return this.finalReport();
  }
}

/** A load generator that runs; `result` is the object that it prints. */
export class Load {
  #child;

  /**
   * @param {string[]} args
   * @param {{ yields?: boolean }} [options]  yields: others on its CPUs go before it
   */
  constructor(args, { yields = false } = {}) {
    const load = join(programs, 'load');
    const [program, ...rest] = yields ? ['nice', '-n', '19', load, ...args] : [load, ...args];
    this.#child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.result = this.#read();
    this.result.catch(() => {}); // it is awaited later where it runs beside something else
  }

  async #read() {
    const child = this.#child;
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
    const [code, signal] = await once(child, 'close');
    if (code !== 0)
      throw new Error(`the load generator ended with ${signal ?? code}: ${errors.trim()}`);
    return JSON.parse(output);
  }

  /** Ends it before its time, in order; not before it listens to the signal, on a busy machine. */
  async stop() {
    const handles = () => {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
      const caught = /^SigCgt:\s+(\w+)/m.exec(status)?.[1] ?? '0';
      return (BigInt(`0x${caught}`) & (1n << 14n)) !== 0n; // signal 15 is bit 14
    };
    while (this.#child.exitCode === null && !handles()) await sleep(10);
    this.#child.kill('SIGTERM');
    return this.result;
  }
}

/** Runs the load generator once and returns the object that it prints. @param {string[]} args */
export function runLoad(args) {
  return new Load(args).result;
}
