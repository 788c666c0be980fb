// Judges the course of a soak: every count has one right value, and memory must not grow with the
// number of connections. Each function returns one line for each thing that is wrong.
import { ledgerProblems } from '../../bench/ledger.mjs';
import { total } from './clients.mjs';
import { fitLine } from './least-squares.mjs';

/** Sockets that a server at rest has: its two listeners. */
const LISTENERS = 2;

/** What breaks a connection from the other side; a server that is sound meets no other error. */
const EXPECTED_ERRORS = new Set(['ECONNRESET', 'EPIPE']);

/** Connections after which memory has found its size, or a third of them if they are few. */
const WARM_UP = 120_000;
const FEWEST_POINTS = 6;

/**
 * What may grow. A program goes on warming up for a while, which is a number of bytes however many
 * connections there are; beyond that, the most that is allowed for each connection is far below what
 * the smallest leak would take: 32 bytes are the smallest piece of memory that malloc gives.
 */
const MEMORY = {
  heap: { name: 'memory of JavaScript', perConnection: 12, warmingUp: 256 * 1024 },
  rss: { name: 'resident memory', perConnection: 16, warmingUp: 8 * 1024 * 1024 },
};

/**
 * @typedef {object} Growth
 * @property {string} name
 * @property {number} slope  bytes per 1,000 connections
 * @property {number} error  its standard error
 * @property {number} bound  what slope + 2 × error must not exceed
 * @property {number} points
 */

/** The samples at rest after the warm-up. @param {import('./soak.mjs').Course} course */
function measured({ samples }) {
  const last = samples.at(-1).connections;
  const warm = Math.min(WARM_UP, last / 3);
  return samples.filter(({ atRest, connections }) => atRest && connections >= warm);
}

/** How memory grew. @param {import('./soak.mjs').Course} course @returns {Growth[]} */
export function growth(course) {
  const samples = measured(course);
  const connections = samples.map((sample) => sample.connections);
  const range = connections.at(-1) - connections[0];
  return Object.entries(MEMORY).map(([key, { name, perConnection, warmingUp }]) => {
    const { slope, error, points } = fitLine(
      connections,
      samples.map((sample) => sample[key]),
    );
    const bound = 1000 * (perConnection + warmingUp / range);
    return { name, slope: 1000 * slope, error: 1000 * error, bound, points };
  });
}

/** Also a slope that is too uncertain to tell breaks its bound. */
function memoryProblems(course) {
  return growth(course).flatMap(({ name, slope, error, bound, points }) => {
    if (points < FEWEST_POINTS) return [`${name}: ${points} samples are too few to tell`];
    if (slope + 2 * error <= bound) return [];
    const figures = [slope, error, bound].map((bytes) => Math.round(bytes).toLocaleString('en'));
    return [
      `${name} grows by ${figures[0]} ± ${figures[1]} bytes per 1,000 connections, above ${figures[2]}`,
    ];
  });
}

/** A server at rest has its listeners and nothing else. */
function restProblems({ samples }) {
  const [first, ...later] = samples.filter(({ atRest }) => atRest);
  return later.flatMap(({ connections, counts, ledger, descriptors }) => {
    const { references, operations, events } = ledger;
    const held = (tag) => references[tag];
    const right = {
      'open descriptors': [descriptors, first.descriptors],
      "sockets that saw 'close'": [counts.closed, counts.accepted],
      'sockets live': [ledger.live, LISTENERS],
      'sockets detached': [ledger.detached, ledger.attached - LISTENERS],
      "soref's descriptors": [ledger.descriptors, LISTENERS],
      'consumer references': [held('consumer'), LISTENERS],
      'operation references': [held('operation'), operations.submitted - operations.completed],
      'queue, protocol and event references': [held('queue') + held('protocol') + held('event'), 0],
      'events delivered': [events.delivered, events.queued],
      'pinned buffers': [ledger.pinnedBuffers, 0],
    };
    return wrong(right, `after ${connections.toLocaleString('en')} connections`);
  });
}

/** @param {Record<string, [number, number]>} right name → what is and what should be */
function wrong(right, when) {
  return Object.entries(right).flatMap(([name, [is, should]]) =>
    is === should ? [] : [`${when}: ${name}: ${is}, not ${should}`],
  );
}

/** What the server and its clients say of the connections. */
function connectionProblems({ clients, end }) {
  const { counts, ledger } = end;
  const opened = total(clients.opened);
  const right = {
    "sockets that saw 'close'": [counts.closed, counts.accepted],
    "sockets that saw 'close' again": [counts.closedAgain, 0],
    "events after 'close'": [counts.late, 0],
    'requests with wrong bytes': [counts.wrongBytes, 0],
    'sockets with a wrong bytesRead': [counts.bytesMiscounted, 0],
    'commands that make no sense': [ledger.badCommands, 0],
    'connections that ended as they should': [total(clients.ended), opened],
    'conversations that were not answered': [clients.opened.converse - clients.ended.converse, 0],
  };
  const problems = wrong(right, 'in the end');
  for (const [kind, count] of Object.entries(clients.failures)) {
    problems.push(`${count} connections failed with ${kind}`);
  }
  for (const [code, count] of Object.entries(counts.errors)) {
    if (!EXPECTED_ERRORS.has(code)) problems.push(`${count} sockets of the server met ${code}`);
  }
  const most = opened + total(clients.openedByKilled);
  if (counts.accepted > most) problems.push(`${most} opened, but ${counts.accepted} accepted`);
  if (clients.answered > counts.answered) {
    problems.push(`${clients.answered} answers came, but ${counts.answered} were given`);
  }
  return problems;
}

/** A soak in which nothing went wrong on the way would prove little. */
function troubleProblems({ clients, overflows, end }) {
  const happened = {
    'a client process was killed': clients.killedProcesses,
    'a backlog overflowed': overflows,
    'a listener ran out of descriptors': end.ledger.acceptsPaused,
    'a socket timed out': end.counts.timedOut,
    'a connection was reset': end.counts.errors.ECONNRESET,
    'a request was cut off': end.counts.cutOff,
  };
  return Object.entries(happened).flatMap(([name, count]) =>
    count > 0 ? [] : [`it never happened that ${name}`],
  );
}

/** Everything that is wrong; nothing if the soak was passed. @param {import('./soak.mjs').Course} course */
export function judge(course) {
  const { end } = course;
  const problems = [
    ...restProblems(course),
    ...connectionProblems(course),
    ...ledgerProblems(end.ledger).map((problem) => `after the end: ${problem}`),
    ...troubleProblems(course),
    ...memoryProblems(course),
  ];
  if (end.exit !== 0) problems.push(`the server ended with ${end.exit}`);
  return problems;
}
