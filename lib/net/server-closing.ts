// The end of a server: it stops listening at once, and emits 'close' when its last connection is gone.
// Connections may live in other processes, to which a socket was sent; those are asked over IPC.
import { promisify } from 'node:util';
import { ERR_SERVER_NOT_RUNNING } from './errors';
import type { ServerInternals } from './server';
import { asyncId } from './socket-fields';
import { nextTickTriggeredBy } from './triggered-tick';

type CountCallback = (error: Error | null, count: number) => void;

/** The sockets of one server that were sent to one other process, as Node's IPC keeps them. */
export interface SocketsElsewhere {
  getConnections(done: CountCallback): void;
  close(done: () => void): void;
  once(event: 'exit', listener: (self: SocketsElsewhere) => void): unknown;
}

/** Reports, in the next tick, how many connections are open, in this process and the others. */
export function getConnections<This extends ServerInternals>(
  this: This,
  done: CountCallback,
): This {
  const report = (error: Error | null, count: number) => process.nextTick(done, error, count);
  if (!this._usingWorkers) {
    report(null, this._connections);
    return this;
  }
  let left = this._workers.length;
  let total = this._connections;
  if (left === 0) report(null, total);
  for (const elsewhere of this._workers) {
    elsewhere.getConnections((error, count) => {
      if (left < 0) return;
      if (error) {
        left = -1;
        report(error, 0);
        return;
      }
      total += count;
      left -= 1;
      if (left === 0) report(null, total);
    });
  }
  return this;
}

/** Asks the other processes to close their connections of this server. */
function closeElsewhere(server: ServerInternals): void {
  let left = server._workers.length;
  // Counts as a connection, so that 'close' is emitted once, and only after the last answer.
  server._connections += 1;
  const done = () => {
    server._connections = 0;
    server._emitCloseIfDrained();
  };
  if (left === 0) done();
  for (const elsewhere of server._workers) {
    elsewhere.close(() => {
      left -= 1;
      if (left === 0) done();
    });
  }
}

/**
 * Stops listening. The callback listens once to 'close', which comes when the last connection has
 * ended; it gets ERR_SERVER_NOT_RUNNING when the server does not listen.
 */
export function close<This extends ServerInternals>(
  this: This,
  callback?: (error?: Error) => void,
): This {
  this._listeningId += 1;
  if (typeof callback === 'function') {
    const listens = Boolean(this._handle);
    this.once('close', listens ? callback : () => callback(new ERR_SERVER_NOT_RUNNING()));
  }
  this._handle?.close();
  this._handle = null;
  if (this._usingWorkers) closeElsewhere(this);
  else this._emitCloseIfDrained();
  return this;
}

/** `await using server`: closes it, if it listens, and waits for 'close'. */
export async function asyncDispose(this: ServerInternals): Promise<void> {
  if (this._handle) await promisify(this.close).call(this);
}

function emitClose(server: ServerInternals): void {
  server.emit('close');
}

/** Called whenever the server stops listening or a connection ends. */
export function emitCloseIfDrained(this: ServerInternals): void {
  if (this._handle || this._connections !== 0) return;
  nextTickTriggeredBy(this[asyncId], emitClose, this);
}

/** Called by Node's IPC when a connection of this server is sent to another process. */
export function setupWorker(this: ServerInternals, elsewhere: SocketsElsewhere): void {
  this._usingWorkers = true;
  this._workers.push(elsewhere);
  elsewhere.once('exit', (gone) => {
    this._workers.splice(this._workers.indexOf(gone), 1);
  });
}
