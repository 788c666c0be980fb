// Runs the soak's clients, one round at a time, and adds up what they did.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { programs } from '../../bench/contenders.mjs';

/** How often a connection met a full accept queue, in this network namespace, since it exists. */
export function listenOverflows() {
  const [names = '', values = ''] = readFileSync('/proc/net/netstat', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('TcpExt:'));
  const index = names.split(' ').indexOf('ListenOverflows');
  return Number(values.split(' ')[index]);
}

/** Adds the numbers of `more` to those of `sum`, and of the objects in it. */
function add(sum, more) {
  for (const [key, value] of Object.entries(more)) {
    if (typeof value === 'number') sum[key] = (sum[key] ?? 0) + value;
    else {
      sum[key] ??= {};
      add(sum[key], value);
    }
  }
}

/** @param {Record<string, number>} counts */
export function total(counts) {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

export class Clients {
  /** What all rounds did together; bench/native/soak_clients/report.h says what that is. */
  done = { opened: {}, ended: {}, openedByKilled: {}, failures: {}, answered: 0 };
  #server;
  #concurrency;

  constructor({ port, narrowPort }, concurrency) {
    this.#server = ['--port', String(port), '--narrow-port', String(narrowPort)];
    this.#concurrency = concurrency;
  }

  /** Opens `count` connections, whose numbers begin with `first`, and waits for their ends. */
  async round(first, count) {
    const args = [
      ...this.#server,
      ...['--first', String(first), '--count', String(count)],
      ...['--concurrency', String(this.#concurrency)],
    ];
    const child = spawn(join(programs, 'soak_clients'), args, {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    const [code, signal] = await once(child, 'close');
    if (code !== 0) throw new Error(`the clients ended with ${signal ?? code}`);
    add(this.done, JSON.parse(output));
  }
}
