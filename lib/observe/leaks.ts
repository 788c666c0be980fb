/**
 * SOREF_LEAKS=warn|abort: reports, when a process or a worker ends, each socket that the program has left
 * open, what holds it and where it was made. With `abort` a process that has left one, and would end
 * with 0, ends by SIGABRT.
 *
 * A socket is left if it is open when the last 'exit' begins and the program has not unref'd it: the
 * same after process.exit() as after a loop that had nothing more to do. Connections that nobody has
 * accepted are their listener's. One whose end is under way is left only when the loop had nothing
 * more to do: process.exit() does not wait for it, but nobody has forgotten it either. A process that
 * is killed, and a worker that is terminated, report nothing.
 */
import { writeSync } from 'node:fs';
import { isMainThread, threadId } from 'node:worker_threads';
import { core, sockstat } from '../core/environment';
import { receiverOf } from '../core/event-dispatcher';
import { Handle } from '../core/handle';
import { keepOrigins, originOf } from '../core/origins';
import type { SocketStatus } from '../core/reports';

const STDERR = 2;

/** The JavaScript side of a socket; undefined if it has none, which is then a defect of soref. */
function handleOf({ slot, generation }: SocketStatus): Handle | undefined {
  const holder = receiverOf(slot, generation);
  return holder instanceof Handle ? holder : undefined;
}

function isLeft(socket: SocketStatus, loopEnded: boolean): boolean {
  switch (socket.life) {
    case 'queued':
      return false;
    case 'closing':
      return loopEnded;
    default:
      // process.exit() may come before a connection that the core has accepted is announced.
      return handleOf(socket)?.hasRef() ?? loopEnded;
  }
}

function describe(socket: SocketStatus): string {
  const { slot, generation, protocol, local, remote, life, state, age } = socket;
  const names = remote === '' ? local : `${local} to ${remote}`;
  const { operations = [], changes = [] } = core.calls.inspect(slot, generation) ?? {};
  const references = Object.entries(socket.references).filter(([, count]) => count > 0);
  const held = references.map(([tag, count]) => `${tag} ${count}`).join(', ');
  const lines = [
    `  ${protocol} ${names}: ${state}, ${life}, ${age} ms old`,
    `    held by ${held}${operations.length > 0 ? ` (${operations.join(', ')})` : ''}`,
    `    made ${originOf(handleOf(socket)?.owner) ?? 'nobody knows where'}`,
    ...changes.map(
      ({ reference, change, cause, held, count }) =>
        `    ${change} ${reference} (${cause}): ${held} of ${count}`,
    ),
  ];
  return lines.join('\n').replaceAll('\nat ', '\n         at ');
}

function report(left: SocketStatus[], loopEnded: boolean): string {
  const who = isMainThread ? 'the process' : `worker ${threadId}`;
  const how = loopEnded ? 'had nothing more to do' : 'exited';
  const what = left.length === 1 ? '1 socket open' : `${left.length} sockets open`;
  return `soref: ${who} ${how} and left ${what}\n${left.map(describe).join('\n')}\n`;
}

/** Called once for each environment, before the program makes a socket. */
export function reportLeaksAtExit(): void {
  const policy = process.env.SOREF_LEAKS || undefined;
  if (policy === undefined) return;
  if (policy !== 'warn' && policy !== 'abort') {
    const message = `SOREF_LEAKS must be one of warn, abort. Received '${policy}'`;
    throw Object.assign(new Error(message), { code: 'ERR_SOREF_LEAKS_INVALID' });
  }
  keepOrigins();
  let loopEnded = false;
  process.on('beforeExit', () => {
    loopEnded = true;
  });
  process.on('exit', (code) => {
    const left = sockstat().filter((socket) => isLeft(socket, loopEnded));
    if (left.length === 0) return;
    // Synchronous also in a worker, whose console no longer reaches anybody.
    writeSync(STDERR, report(left, loopEnded));
    // process.abort() is not there in a worker.
    if (policy === 'abort' && code === 0) process.kill(process.pid, 'SIGABRT');
  });
}
