// One client program for every contender that runs in Node: `node bench/client.mjs --module soref`.
// It prints "ready", and does what the lines of its input say:
//   run PORT N   keeps N connections going: connect, 64 bytes, 64 bytes back and the end, close
//   report       prints its counts and its CPU time as one JSON line
//   rest         opens no more, and prints such a line when the last connection has closed
// The end of the input prints the final report with soref's ledger, and ends the program with 1 if
// anything is left in that.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { ledgerProblems, settledLedger } from './ledger.mjs';

const MESSAGE_SIZE = 64; // bytes, of a request and of its answer
const request = Buffer.alloc(MESSAGE_SIZE, 'q');

const { values } = parseArgs({ options: { module: { type: 'string', default: 'node:net' } } });
const require = createRequire(import.meta.url);
const { connect, engine = 'node', ledger: readLedger } = require(values.module);

const counts = { opened: 0, completed: 0, failed: 0 };
let live = 0;
let port = 0;
let running = false;
let onRest = () => {};

function open() {
  counts.opened += 1;
  live += 1;
  const socket = connect(port, '127.0.0.1');
  let received = 0;
  let broken = false;
  socket.on('data', (chunk) => {
    received += chunk.length;
  });
  socket.on('error', () => {
    broken = true;
  });
  socket.on('close', () => {
    if (broken || received !== MESSAGE_SIZE) counts.failed += 1;
    else counts.completed += 1;
    live -= 1;
    if (running) open();
    else if (live === 0) onRest();
  });
  socket.write(request);
}

function report() {
  const { user, system } = process.cpuUsage();
  return { engine, ...counts, userCpuUs: user, systemCpuUs: system };
}

const commands = {
  run: (where, concurrency) => {
    port = Number(where);
    running = true;
    for (let i = 0; i < Number(concurrency); i += 1) open();
  },
  report: () => console.log(JSON.stringify(report())),
  rest: () => {
    running = false;
    onRest = commands.report;
    if (live === 0) onRest();
  },
};

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const [name, ...args] = line.split(' ');
  commands[name](...args);
});
lines.on('close', async () => {
  running = false;
  const ledger = await settledLedger(readLedger);
  const left = ledger === null ? [] : ledgerProblems(ledger);
  console.log(JSON.stringify({ ...report(), ledger }));
  process.exit(left.length === 0 ? 0 : 1);
});
console.log('ready');
