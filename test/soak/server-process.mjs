// The soak's server as its parent sees it: started with a limit of descriptors, asked over the IPC
// channel, and looked at from outside, so that what is judged is not its own word alone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/processes.mjs';

const ANSWER_TIMEOUT = 30_000; // milliseconds, for a server that has much to do

export class SoakServer {
  #child;
  #ended;
  start;

  /**
   * @param {object} settings
   * @param {string} settings.engine
   * @param {number} settings.descriptors  its limit, as setrlimit(2) sets it
   * @param {string[]} settings.preload    modules that are loaded before it, which may spoil it
   * @param {string} [settings.node]       the program that runs it
   */
  static async launch({ engine, descriptors, preload, node = process.execPath }) {
    const server = new SoakServer();
    const command = [
      node,
      '--expose-gc',
      // The young generation grows for as long as it may, which would pass for a leak at first.
      '--max-semi-space-size=2',
      ...preload.map((path) => `--import=${path}`),
      join(root, 'test/soak/server.mjs'),
    ];
    server.#child = spawn('sh', ['-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh', ...command], {
      env: { ...process.env, SOREF_ENGINE: engine, NODE_OPTIONS: '' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    server.#ended = once(server.#child, 'close');
    server.#ended.catch(() => {});
    server.start = await server.#answer('start');
    return server;
  }

  async #answer(question) {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT);
    const ended = this.#ended.then(([code, by]) => {
      throw new Error(`the server ended with ${by ?? code}, and did not answer '${question}'`);
    });
    const message = async () => {
      for (;;) {
        const [answer] = await once(this.#child, 'message', { signal });
        if (answer.question === question) return answer;
      }
    };
    return Promise.race([message(), ended]);
  }

  /** What it answers, with what the kernel says of it. @param {'report' | 'settle'} question */
  async ask(question) {
    const answer = this.#answer(question);
    this.#child.send(question);
    const { counts, ledger, heap } = await answer;
    const folder = `/proc/${this.#child.pid}`;
    const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`${folder}/status`, 'utf8'))?.[1];
    const descriptors = readdirSync(`${folder}/fd`).length;
    return { counts, ledger, heap, rss: Number(resident) * 1024, descriptors };
  }

  /** Closes it and waits for its end. */
  async close() {
    const answer = this.#answer('close');
    this.#child.send('close');
    const { counts, ledger } = await answer;
    const [code, signal] = await this.#ended;
    return { counts, ledger, exit: signal ?? code };
  }

  /** For a soak that has failed already. */
  kill() {
    this.#child.kill('SIGKILL');
  }
}
