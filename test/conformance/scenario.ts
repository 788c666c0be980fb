/**
 * A scenario is a scripted use of a `net`. runScenario() plays it on the one that it is given and returns the lanes
 * of its record; two nets behave alike when their lanes are equal.
 */
import type { EventEmitter } from 'node:events';
import type { AddressInfo, Server, ServerOpts, Socket, TcpNetConnectOpts } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type Lanes, type Net, Recorder } from './recorder';

export type { Lanes, Net, Recorder } from './recorder';
export type Scenario = (net: Net, log: Recorder) => Promise<void>;
/** Scenarios of one subject, by what they show. */
export type Scenarios = Record<string, Scenario>;

const TIME_LIMIT = 60_000; // milliseconds, on a machine that may be busy
const SERVING_TURNS = 10;

/**
 * Plays a scenario. One that hangs is reported with what it had recorded.
 * @throws what the scenario throws.
 */
export async function runScenario(scenario: Scenario, net: Net): Promise<Lanes> {
  const log = new Recorder();
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`it hangs after ${JSON.stringify(log.lanes, null, 2)}`));
    }, TIME_LIMIT);
  });
  try {
    await Promise.race([scenario(net, log).then(() => log.finish()), limit]);
    return log.lanes;
  } finally {
    clearTimeout(timer);
    log.dispose();
  }
}

/** Waits for an event; 'error' does not end the wait, as it may be the very thing to see. */
export function until(emitter: EventEmitter, event: string): Promise<unknown[]> {
  return new Promise((resolve) => emitter.once(event, (...values) => resolve(values)));
}

/**
 * Waits, where nothing is to happen that the program could wait for. On a busy machine all of the time may go by
 * between two turns of the loop: so this also waits for some turns, in which the sockets are served.
 */
export async function pass(milliseconds: number): Promise<void> {
  await sleep(milliseconds);
  for (let turns = 0; turns < SERVING_TURNS; turns++) await nextTurn();
}

/** Lets a readable flow and collects nothing: its events are recorded. */
export function flow(...sockets: Socket[]): void {
  for (const socket of sockets) socket.resume();
}

/** A watched server that listens on a port of the loopback, whose connections are watched too. */
export async function listening(
  net: Net,
  log: Recorder,
  options: ServerOpts & object = {},
): Promise<{ server: Server; port: number }> {
  const server = log.watch('server', net.createServer(options));
  let count = 0;
  server.prependListener('connection', (socket) => {
    count += 1;
    log.watch(count === 1 ? 'peer' : `peer ${count}`, socket);
  });
  server.listen(0, '127.0.0.1');
  await until(server, 'listening');
  const { port } = server.address() as AddressInfo;
  log.call(port, '<server port>');
  return { server, port };
}

export interface Pair {
  server: Server;
  client: Socket;
  peer: Socket;
}

/** Two connected sockets, watched from their first event on, and their server, all watched. */
export async function pair(
  net: Net,
  log: Recorder,
  options: { server?: ServerOpts & object; client?: Partial<TcpNetConnectOpts> & object } = {},
): Promise<Pair> {
  const { server, port } = await listening(net, log, options.server);
  const accepted = until(server, 'connection');
  const client = log.watch('client', net.connect({ port, host: '127.0.0.1', ...options.client }));
  const [[peer]] = await Promise.all([accepted, until(client, 'connect')]);
  return { server, client, peer: peer as Socket };
}

/** Waits until all of them are closed. */
export async function closed(...emitters: EventEmitter[]): Promise<void> {
  await Promise.all(emitters.map((emitter) => until(emitter, 'close')));
}
