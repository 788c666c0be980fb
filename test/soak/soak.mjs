// One soak of one engine: rounds of connections against one server, which comes to rest after each.
// At rest everything has one right value, and what is then still there was not given back.
import { setTimeout as sleep } from 'node:timers/promises';
import { Clients, listenOverflows, total } from './clients.mjs';
import { SoakServer } from './server-process.mjs';

/** Fewer than all that a surge of the clients opens, and enough for the rest of a round. */
const DESCRIPTORS = 400;
const CONCURRENCY = 256;
const SAMPLE_EVERY = 1000; // milliseconds

/**
 * @typedef {object} Sample
 * @property {number} seconds      since the server listened
 * @property {number} connections  opened before
 * @property {boolean} atRest      taken between two rounds
 * @property {object} counts       of conversation.mjs
 * @property {object} ledger       soref.ledger()
 * @property {number} heap         bytes in use: JavaScript's, and what they hold outside of the heap
 * @property {number} rss          bytes
 * @property {number} descriptors  open in the process
 */

/**
 * @typedef {object} Course what happened in a soak
 * @property {string} engine
 * @property {string} node          its version
 * @property {number} roundSize
 * @property {Sample[]} samples     the first is taken before any connection
 * @property {object} clients       what they did, summed up
 * @property {number} overflows     connections that met a full backlog
 * @property {{ counts: object, ledger: object, exit: number | string }} end
 */

/**
 * @param {object} request
 * @param {string} request.engine
 * @param {number} request.connections
 * @param {number} request.rounds
 * @param {number} [request.deadline]   no round begins after it, in milliseconds of Date.now()
 * @param {string[]} [request.preload]  modules that spoil the server
 * @param {string} [request.node]       the program that runs the server
 * @param {(state: string) => void} [request.onProgress]
 * @returns {Promise<Course>}
 */
export async function soak(request) {
  const { engine, connections, rounds, deadline = Infinity, preload = [], node } = request;
  const { onProgress = () => {} } = request;
  const server = await SoakServer.launch({ engine, descriptors: DESCRIPTORS, preload, node });
  try {
    const clients = new Clients(server.start, CONCURRENCY);
    const began = Date.now();
    const overflowsBefore = listenOverflows();
    const roundSize = Math.ceil(connections / rounds);
    const samples = [];
    let opened = 0;
    const sample = async (atRest) => {
      const asked = { seconds: (Date.now() - began) / 1000, connections: opened, atRest };
      samples.push({ ...asked, ...(await server.ask(atRest ? 'settle' : 'report')) });
    };

    await sample(true);
    for (let round = 1; round <= rounds && Date.now() < deadline; round += 1) {
      await sampledMeanwhile(clients.round(opened, roundSize), sample);
      opened = total(clients.done.opened) + total(clients.done.openedByKilled);
      await sample(true);
      onProgress(`${engine}: ${opened.toLocaleString('en')} connections, round ${round}/${rounds}`);
    }
    return {
      engine: server.start.engine,
      node: server.start.node,
      roundSize,
      samples,
      clients: clients.done,
      overflows: listenOverflows() - overflowsBefore,
      end: await server.close(),
    };
  } finally {
    server.kill();
  }
}

/** Takes a sample now and then until `work` is done. */
async function sampledMeanwhile(work, sample) {
  let working = true;
  const done = work.finally(() => (working = false));
  done.catch(() => {}); // it is awaited below
  for (;;) {
    await Promise.race([done, sleep(SAMPLE_EVERY)]);
    if (!working) return done;
    await sample(false);
  }
}
