// One server program for every contender that runs in Node: the module to take `createServer` from
// is an argument, all else is the same. `node bench/server.mjs --module node:net --mode echo`
//   --carrier soref: the module that is under the other one, and has the ledger (soref/register);
//   --crossings: its reports also say how often soref crossed between JavaScript and its core;
//   prints "listening PORT";
//   SIGUSR2 collects garbage, and prints CPU time and connections so far as one JSON line;
//   SIGTERM closes it, waits for what is open, prints the final report with soref's ledger as one
//   JSON line, and ends with 1 if a connection or anything in the ledger is left.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { certificate } from './certificate.mjs';
import { ledgerProblems, settledLedger } from './ledger.mjs';
import { counts, services } from './services.mjs';

const CLOSE_TIMEOUT = 5000; // milliseconds that connections may take to end after SIGTERM

const { values } = parseArgs({
  options: {
    module: { type: 'string', default: 'node:net' },
    carrier: { type: 'string' },
    mode: { type: 'string', default: 'accept-close' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    crossings: { type: 'boolean' },
  },
});

const require = createRequire(import.meta.url);
const { createServer } = require(values.module);
const { engine = 'node', ledger: readLedger } = require(values.carrier ?? values.module);
const crossings = values.crossings ? (await import('./crossings.mjs')).crossings : undefined;
const service = services[values.mode];
if (!service) throw new Error(`no mode ${values.mode}; there are ${Object.keys(services)}`);
const options = { ...service.options, ...(service.needsCertificate ? certificate : {}) };
const server = createServer(options, service.serve);
if (service.takesRequests) {
  server.on('connection', () => {
    counts.accepted += 1;
  });
}

function report() {
  const { user, system } = process.cpuUsage();
  return {
    engine,
    ...counts,
    crossings: crossings?.(),
    userCpuUs: user,
    systemCpuUs: system,
  };
}

/** The server's 'close' comes only after the last connection has closed. */
function closeServer() {
  return Promise.race([
    new Promise((resolve) => server.close(() => resolve(true))),
    sleep(CLOSE_TIMEOUT, false),
  ]);
}

async function end() {
  const closed = await closeServer();
  const ledger = await settledLedger(readLedger);
  console.log(JSON.stringify({ ...report(), closed, ledger }));
  const balanced = ledger === null || ledgerProblems(ledger).length === 0;
  process.exit(closed && balanced ? 0 : 1);
}

process.on('SIGUSR2', () => {
  (globalThis.Bun?.gc ?? globalThis.gc)?.(true);
  console.log(JSON.stringify(report()));
});
process.once('SIGTERM', end);
// Started by a benchmark that has gone, it would run forever.
process.once('disconnect', () => process.exit(1));
server.listen(Number(values.port), values.host, () => {
  console.log(`listening ${server.address().port}`);
});
