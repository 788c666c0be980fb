// Starts and ends the processes of a measurement: one for each server, and the load generator.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { programs } from './contenders.mjs';

const START_TIMEOUT = 10_000; // milliseconds
const STOP_TIMEOUT = 15_000;

/** A server that runs in another process, from start() to stop(). */
export class ServerProcess {
  #child;
  #ended;
  #output = [];
  #errors = '';
  port = 0;

  constructor(child) {
    this.#child = child;
    this.#ended = once(child, 'close');
    this.#ended.catch(() => {});
    child.stderr.setEncoding('utf8').on('data', (text) => (this.#errors += text));
  }

  get pid() {
    return this.#child.pid;
  }

  /**
   * Resolves once the server listens; rejects with what it wrote to stderr if it does not.
   * @param {import('./contenders.mjs').Contender} contender
   * @param {{ mode: string, cpu: number | null }} options
   */
  static async start({ command, env }, { mode, cpu }) {
    const pinned = cpu === null ? command : ['taskset', '-c', String(cpu), ...command];
    const [program = '', ...args] = [...pinned, '--mode', mode];
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      // The channel carries nothing: it tells a Node server that its parent has gone.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const server = new ServerProcess(child);
    const lines = createInterface({ input: child.stdout });
    const listening = new Promise((resolve, reject) => {
      const fail = (reason) => reject(new Error(server.#errors.trim() || reason));
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        fail(`not listening after ${START_TIMEOUT / 1000} s`);
      }, START_TIMEOUT);
      lines.on('line', (line) => {
        const port = /^listening (\d+)$/.exec(line)?.[1];
        if (port === undefined) return server.#output.push(line);
        clearTimeout(timer);
        resolve(Number(port));
      });
      child.once('error', ({ message }) => fail(message));
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        fail(`ended with ${signal ?? code}`);
      });
    });
    server.port = await listening;
    return server;
  }

  /** Ends the server and returns its final report, with its exit code. */
  async stop() {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT);
    this.#child.kill('SIGTERM');
    const [exitCode, signal] = await this.#ended;
    clearTimeout(timer);
    const line = this.#output.at(-1);
    if (line === undefined) {
      throw new Error(`no final report (${signal ?? exitCode}): ${this.#errors.trim()}`);
    }
    return { ...JSON.parse(line), exitCode };
  }

  /** For a run that has failed already. */
  kill() {
    this.#child.kill('SIGKILL');
  }
}

/**
 * Runs the load generator once and returns the object that it prints.
 * @param {string[]} args
 */
export async function runLoad(args) {
  const child = spawn(join(programs, 'load'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const [code, signal] = await once(child, 'close');
  if (code !== 0)
    throw new Error(`the load generator ended with ${signal ?? code}: ${errors.trim()}`);
  return JSON.parse(output);
}
