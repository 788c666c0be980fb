// One server program for every contender that runs in Node: the module to take `createServer` from
// is an argument, all else is the same. `node bench/server.mjs --module node:net --mode echo`
//   --carrier soref: the module that is under the other one, and has the ledger (soref/register);
//   prints "listening PORT";
//   SIGUSR2 prints its CPU time, memory and connections so far as one JSON line;
//   SIGTERM closes it, waits for what is open, prints the final report with soref's ledger as one
//   JSON line, and ends with 1 if a connection or anything in the ledger is left.
import { createRequire } from 'node:module';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ledgerProblems } from './ledger.mjs';

const MESSAGE_SIZE = 64; // bytes, of a request, an answer and an echo
const CLOSE_TIMEOUT = 5000; // milliseconds that connections may take to end after SIGTERM

const { values } = parseArgs({
  options: {
    module: { type: 'string', default: 'node:net' },
    carrier: { type: 'string' },
    mode: { type: 'string', default: 'accept-close' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
  },
});

const require = createRequire(import.meta.url);
const { createServer } = require(values.module);
const { engine = 'node', ledger: readLedger } = require(values.carrier ?? values.module);
const counts = { accepted: 0, failed: 0 };
const response = Buffer.alloc(MESSAGE_SIZE, 'r');

/** @param {Error} _error a connection that broke; the load generator counts it by errno */
function countFailure(_error) {
  counts.failed += 1;
}

function serveHello(_request, response) {
  response.setHeader('Content-Type', 'text/plain');
  response.end('hello');
}

/** What each mode does with an accepted connection. */
const services = {
  'accept-close': (socket) => {
    counts.accepted += 1;
    socket.destroy();
  },
  'request-response': (socket) => {
    counts.accepted += 1;
    let received = 0;
    socket.on('error', countFailure);
    socket.on('data', (chunk) => {
      received += chunk.length;
      if (received === MESSAGE_SIZE) socket.end(response);
    });
  },
  echo: (socket) => {
    counts.accepted += 1;
    socket.on('error', countFailure);
    socket.on('data', (chunk) => socket.write(chunk));
  },
  http: serveHello,
  'http-close': serveHello,
  hold: (socket) => {
    counts.accepted += 1;
    socket.on('error', countFailure);
    socket.resume();
  },
};

const service = services[values.mode];
if (!service) throw new Error(`no mode ${values.mode}; there are ${Object.keys(services)}`);
const server = createServer(service);
if (service === serveHello) {
  server.on('connection', () => {
    counts.accepted += 1;
  });
}

function report() {
  const { user, system } = process.cpuUsage();
  return {
    engine,
    ...counts,
    userCpuUs: user,
    systemCpuUs: system,
    rss: process.memoryUsage.rss(),
  };
}

/** The server's 'close' comes only after the last connection has closed. */
function closeServer() {
  return Promise.race([
    new Promise((resolve) => server.close(() => resolve(true))),
    sleep(CLOSE_TIMEOUT, false),
  ]);
}

/** What is released in the turn after 'close' is not yet in the ledger; one second is given for it. */
async function settledLedger() {
  if (readLedger === undefined) return null;
  for (let turn = 0; turn < 100 && ledgerProblems(readLedger()).length > 0; turn += 1) {
    await nextTurn();
    await sleep(10);
  }
  return readLedger();
}

async function end() {
  const closed = await closeServer();
  const ledger = await settledLedger();
  console.log(JSON.stringify({ ...report(), closed, ledger }));
  const balanced = ledger === null || ledgerProblems(ledger).length === 0;
  process.exit(closed && balanced ? 0 : 1);
}

process.on('SIGUSR2', () => console.log(JSON.stringify(report())));
process.once('SIGTERM', end);
// Started by a benchmark that has gone, it would run forever.
process.once('disconnect', () => process.exit(1));
server.listen(Number(values.port), values.host, () => {
  console.log(`listening ${server.address().port}`);
});
