// The rows of the comparison: what each one measures, how, and what soref is to reach. A goal is a
// ratio to node:net, by the row's first figure, for each engine; `floor` is one to the bare program.
// What soref is to keep to by itself is a limit of a figure.
import {
  cpuEach,
  latency,
  megabytesPerCpuSecond,
  megabytesPerSecond,
  own,
  perCpuSecond,
  rate,
} from './figures.mjs';
import * as beside from './procedures/beside.mjs';
import * as client from './procedures/client.mjs';
import * as crossings from './procedures/crossings.mjs';
import * as growth from './procedures/growth.mjs';
import * as idleMemory from './procedures/idle-memory.mjs';
import * as paced from './procedures/paced.mjs';
import * as saturate from './procedures/saturate.mjs';

/**
 * @typedef {object} Row
 * @property {string} title
 * @property {string} mode        of the load generator and of every server
 * @property {string} unit        what is counted and divided by
 * @property {string} measures    in a sentence, what the figures are
 * @property {object} procedure   how one round of one contender is measured: bench/procedures/
 * @property {import('./figures.mjs').Figure[]} figures
 * @property {{ io_uring?: number, epoll?: number, floor?: number }} goals
 * @property {string[]} [load]         further arguments of the load generator
 * @property {string} [module]         Node's module that serves, where it is not net
 * @property {'server' | 'client'} [role]  of the measured process
 * @property {Record<string, string> | null} [floors]  the bare program of each engine
 * @property {Partial<typeof import('./compare.mjs').defaults>} [settings]  where they differ
 * @property {{ mode: string, concurrency: number }} [others]  what else loads the server
 */

const MESSAGES = { io_uring: 'floor_uring', epoll: 'floor_epoll' };
const BULK = { io_uring: 'floor_bulk_uring', epoll: 'floor_bulk_epoll' };
const CLIENT = { io_uring: 'floor_client_uring', epoll: 'floor_client_epoll' };

const saturated = 'with every CPU saturated';
const connections = [rate('connection'), cpuEach('connection'), latency('p50'), latency('p99')];
const cpuFirst = ([speed, cpu, ...rest]) => [cpu, speed, ...rest];
const requests = (unit) => [perCpuSecond(unit), rate(unit), latency('p50'), latency('p99')];
const bytes = [megabytesPerCpuSecond, megabytesPerSecond];

/** @type {Record<string, Row>} */
export const rows = {
  // The client ends with RST: the server has closed by then, so it changes nothing for the server,
  // and the kernel is not left with more connections in TIME_WAIT than it has room for.
  'accept-close': {
    ...{ title: 'accept and destroy', mode: 'accept-close', unit: 'connection' },
    measures: `CPU time of the server for a connection, and connect→closed ${saturated}`,
    ...{ procedure: saturate, figures: cpuFirst(connections), floors: MESSAGES },
    ...{ goals: { io_uring: 1 / 3, epoll: 1 / 2.5, floor: 1.25 }, load: ['--reset'] },
  },
  'request-response': {
    ...{ title: '64 B request, 64 B response, close', mode: 'request-response' },
    unit: 'connection',
    measures: `CPU time of the server for a connection, and connect→closed ${saturated}`,
    ...{ procedure: saturate, figures: cpuFirst(connections), floors: MESSAGES },
    goals: { io_uring: 1 / 3, epoll: 1 / 2.2, floor: 1.3 },
  },
  client: {
    ...{ title: 'connect, request, response, close as a client', mode: 'request-response' },
    ...{ unit: 'connection', role: 'client', procedure: client, floors: CLIENT },
    measures: 'CPU time of the client for a connection to a bare C++ server',
    figures: [cpuEach('connection'), rate('connection')],
    goals: { io_uring: 1 / 2, epoll: 1 / 1.6 },
  },
  echo: {
    ...{ title: '64 B echo, 64 live connections', mode: 'echo', unit: 'message' },
    measures: `CPU time of the server for a message, and its round trip ${saturated}`,
    ...{ procedure: saturate, floors: MESSAGES, settings: { concurrency: 64 } },
    figures: [cpuEach('message'), rate('message'), latency('p50'), latency('p99')],
    goals: { io_uring: 1 / 1.6, epoll: 1 / 1.3, floor: 1.3 },
  },
  'bulk-to': {
    ...{ title: '64 KB writes to the server', mode: 'bulk-to', unit: 'byte' },
    measures: 'bytes that the server read for a second of its CPU time',
    ...{ procedure: saturate, floors: BULK, settings: { concurrency: 8 }, figures: bytes },
    goals: { io_uring: 1.25, epoll: 1 },
  },
  'bulk-from': {
    ...{ title: '64 KB writes from the server', mode: 'bulk-from', unit: 'byte' },
    measures: 'bytes that the server wrote for a second of its CPU time',
    ...{ procedure: saturate, floors: BULK, settings: { concurrency: 8 }, figures: bytes },
    goals: { io_uring: 1.25, epoll: 1 },
  },
  pipe: {
    ...{ title: 'pipe of socket to socket', mode: 'pipe', unit: 'byte' },
    measures: 'bytes that the server passed on for a second of its CPU time',
    ...{ procedure: saturate, floors: BULK, settings: { concurrency: 8 }, figures: bytes },
    goals: { io_uring: 1.25, epoll: 1 },
  },
  // Node's http and https modules, under soref/register and without. There is no bare server.
  http: {
    ...{ title: 'http hello, keep-alive', mode: 'http', unit: 'request', module: 'node:http' },
    measures: `requests for a second of the server's CPU time, and their round trip ${saturated}`,
    ...{ procedure: saturate, floors: null, figures: requests('request') },
    goals: { io_uring: 1.2, epoll: 1.1 },
  },
  'http-close': {
    ...{ title: 'http hello, one connection a request', mode: 'http-close', unit: 'request' },
    measures: `requests for a second of the server's CPU time, and connect→closed ${saturated}`,
    ...{ procedure: saturate, module: 'node:http', floors: null, figures: requests('request') },
    goals: { io_uring: 1.8, epoll: 1.5 },
  },
  https: {
    ...{ title: 'https hello, keep-alive', mode: 'https', unit: 'request', module: 'node:https' },
    measures: `requests for a second of the server's CPU time, and their round trip ${saturated}`,
    ...{ procedure: saturate, floors: null, figures: requests('request') },
    ...{ goals: { io_uring: 1, epoll: 1 }, settings: { concurrency: 64 } },
  },
  'https-close': {
    ...{ title: 'https hello, one connection a request', mode: 'https-close', unit: 'request' },
    measures: `requests for a second of the server's CPU time, and connect→closed ${saturated}`,
    ...{ procedure: saturate, module: 'node:https', floors: null, figures: requests('request') },
    ...{ goals: { io_uring: 1, epoll: 1 }, settings: { concurrency: 64 } },
  },
  'idle-memory': {
    ...{ title: 'memory of an idle connection', mode: 'hold', unit: 'connection' },
    measures: 'resident memory for each connection held, after garbage collection',
    ...{ procedure: idleMemory, floors: MESSAGES, settings: { rounds: 3, concurrency: 15_000 } },
    figures: [
      own('bytesEach', 'bytes/connection', 0, { compared: true }),
      own('held', 'connections', 0, { better: 'higher' }),
    ],
    goals: { io_uring: 2.2 / 3.7, epoll: 2.2 / 3.7 },
  },
  growth: {
    ...{ title: 'an echo with 15,000 others idle against 100', mode: 'echo', unit: 'message' },
    measures: 'CPU time of the server for a message, with many others idle and with few',
    ...{ procedure: growth, floors: MESSAGES },
    settings: { rounds: 3, concurrency: 64, seconds: 1 },
    figures: [
      own('growth', 'many ÷ few', 3, { limits: { io_uring: 1.1, epoll: 1.1 } }),
      own('fewUs', 'µs with few', 2, { compared: true }),
      own('manyUs', 'µs with many', 2, { compared: true }),
    ],
    goals: {},
    others: { mode: 'hold', concurrency: 15_000 },
  },
  // With many connections a turn and one call for all of them, a crossing costs each next to nothing.
  crossings: {
    ...{ title: 'crossings of accept and destroy', mode: 'accept-close', unit: 'connection' },
    ...{ procedure: crossings, floors: MESSAGES, load: ['--reset'], goals: {} },
    measures:
      'system calls of all threads of the server for a connection, counted by perf or strace; and ' +
      'calls between JavaScript and the core of soref for a turn of the loop, counted at the doors',
    settings: { rounds: 3, seconds: 1 },
    figures: [
      own('systemCalls', 'system calls/connection', 2, { compared: true, limits: { io_uring: 2 } }),
      own('intoJavaScript', 'into JavaScript/turn', 2, { limits: { io_uring: 1 } }),
      own('intoCore', 'into the core/turn', 2, { limits: { io_uring: 1 } }),
      own('perTurn', 'connections/turn', 1, { better: 'higher' }),
    ],
  },
  latency: {
    ...{ title: "connect→closed at half of node:net's peak load", mode: 'request-response' },
    ...{ unit: 'connection', procedure: paced, floors: MESSAGES },
    measures: 'connect→closed of connections that come at a rate, counted from when each was due',
    figures: [latency('p99', true), latency('p50', true), cpuEach('connection')],
    goals: { io_uring: 1, epoll: 1 },
  },
  storm: {
    ...{ title: 'echo during a connection storm', mode: 'echo', unit: 'message' },
    ...{ procedure: beside, floors: MESSAGES, settings: { concurrency: 64 } },
    measures: 'round trip on established connections while others connect, echo once and end',
    figures: [latency('p99', true), latency('p50', true), rate('message')],
    goals: { io_uring: 1, epoll: 1 },
    others: { mode: 'echo-close', concurrency: 256 },
  },
  'bulk-fairness': {
    ...{ title: 'echo beside bulk senders', mode: 'echo', unit: 'message' },
    ...{ procedure: beside, floors: null, settings: { concurrency: 64 } },
    measures:
      'round trip on connections with small messages while others are sent back 64 KB writes',
    figures: [latency('p99', true), latency('p50', true), rate('message')],
    goals: { io_uring: 1, epoll: 1 },
    others: { mode: 'pipe', concurrency: 4 },
  },
};
