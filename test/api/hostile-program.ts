// A program that reaches behind lib/core and misuses all it finds: it writes garbage over the commands,
// the cursors and the events in the shared memory, calls the core with arguments of every kind, and at
// last gives the memory away. Meanwhile honest sockets talk. Whatever becomes of those, the process
// must live to its end. Run by hostile-memory.test.ts: node hostile-program.js SEED STEPS
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import * as net from 'soref';
import { root } from './programs';

type Call = (...args: unknown[]) => unknown;
interface Internals {
  core: { calls: Record<string, Call>; control: Int32Array; transmit: Buffer; receive: Buffer };
  upcalls: { deliver: () => void };
}
const { core, upcalls } = require(join(root, 'dist/core/environment.js')) as Internals;

const [seed, steps] = (isMainThread ? process.argv.slice(2) : workerData).map(Number);
let state = seed >>> 0;

/** Mulberry32: the same numbers for the same seed. */
function below(limit: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
}
const one = <T>(values: readonly T[]): T => values[below(values.length)] as T;

/** The layout as it is now is nothing that a hostile program would respect anyway. */
const COMMANDS_AT = 16;
const EVENTS_AT = COMMANDS_AT + 6 * 8192;

const integer = () =>
  one([
    below(8),
    below(64),
    -below(8),
    1 << below(31),
    6 * below(9000),
    ~(1 << below(31)),
    0x7fffffff,
  ]);

function write(from: number, to: number): void {
  const at = from + below(to - from);
  for (let index = at; index < at + 1 + below(40); index++) core.control[index] = integer();
}

/** A command that exists, for a socket that may. */
function writeCommand(): void {
  const length = core.control[0] as number;
  for (const [index, word] of [1 + below(5), below(40), 1 + below(3)].entries()) {
    core.control[COMMANDS_AT + length + index] = word;
  }
  for (let index = 3; index < 6; index++) core.control[COMMANDS_AT + length + index] = integer();
  core.control[0] = length + 6;
}

const anything = () =>
  one<unknown>([
    integer(),
    below(40),
    1 + below(3),
    Number.NaN,
    1e300,
    undefined,
    null,
    true,
    '127.0.0.1',
    '\0name',
    '\0'.repeat(below(200)),
    'x'.repeat(below(200)),
    '::1%9999999999',
    {},
    [],
    Symbol('odd'),
    10n,
    Buffer.alloc(below(100_000)),
    new Float64Array(below(10)),
    new DataView(new ArrayBuffer(8)),
    () => {},
  ]);

/** Node's own descriptors, those of the output among them, are not the core's to defend. */
const adoptable = () => one<unknown>([-1, 1 << 30, Number.NaN, 'x', undefined, {}]);

function call(): void {
  const name = one(Object.keys(core.calls).filter((key) => typeof core.calls[key] === 'function'));
  const args = [below(40), 1 + below(3), ...Array.from({ length: below(6) }, anything)];
  if (below(4) === 0) args[below(2)] = anything() as number;
  if (name === 'attachExternal') args[0] = adoptable() as number;
  if (name === 'bind')
    args[2] = one(['127.0.0.1', '::1', '\0soref-hostile', '', '256.0.0.1']) as never;
  try {
    const result = core.calls[name]?.(...args);
    if (name === 'detach' && (result as number) > 2) closeSync(result as number);
  } catch {
    // An exception is an answer.
  }
}

const misuses = [
  () => write(COMMANDS_AT, EVENTS_AT),
  () => write(EVENTS_AT, core.control.length),
  () => write(0, COMMANDS_AT),
  () => {
    core.control[0] = integer();
  },
  writeCommand,
  writeCommand,
  writeCommand,
  call,
  call,
  () => core.transmit.fill(below(256)),
  () => core.receive.fill(below(256), 0, 1 << below(24)),
];

const honestDelivery = upcalls.deliver;
upcalls.deliver = () => {
  const misuse = below(4);
  if (misuse === 0) one(misuses)();
  if (misuse === 1) core.control[1] = integer();
  if (misuse === 2) core.control[2] = integer();
  if (misuse !== 2) honestDelivery();
  if (below(8) === 0) throw new Error('a listener that throws');
};

// What becomes of it after all that is its own affair.
process.on('uncaughtException', () => {});
process.removeAllListeners('warning').on('warning', () => {});

const server = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
server.on('error', () => {}).listen(0, '127.0.0.1');

function talk(): void {
  const address = server.address() as net.AddressInfo | null;
  if (address === null) return;
  const socket = net.connect(address.port, '127.0.0.1').on('error', () => {});
  socket.on('data', () => socket.write('x'.repeat(below(70_000))));
  socket.write('hello');
  if (below(3) === 0) setTimeout(() => socket.destroy(), below(10));
}

function giveMemoryAway(): void {
  const buffers = [core.control.buffer, core.transmit.buffer, core.receive.buffer] as ArrayBuffer[];
  for (const buffer of buffers) {
    try {
      (buffer as unknown as { transfer(): void }).transfer();
    } catch {
      // Not every Node has it.
    }
    try {
      structuredClone(buffer, { transfer: [buffer] });
    } catch {
      // Nor may every buffer go.
    }
  }
  (globalThis as { gc?: () => void }).gc?.();
}

const worker = isMainThread
  ? new Worker(__filename, { workerData: [seed + 1, steps] }).on('error', () => {})
  : undefined;

function end(): void {
  const { badCommands, staleNames } = net.ledger();
  giveMemoryAway();
  const turns = 5;
  let turn = 0;
  const finish = () => {
    if (++turn < turns) {
      setImmediate(finish);
      return talk();
    }
    if (isMainThread) console.log(JSON.stringify({ badCommands, staleNames }));
    void (worker?.terminate() ?? Promise.resolve()).then(() => process.exit(0));
  };
  finish();
}

let step = 0;
function misbehave(): void {
  setImmediate(++step < steps ? misbehave : end);
  for (let times = below(20); times > 0; times--) one(misuses)();
  if (below(10) === 0) talk();
}
// The loop goes on whatever the sockets say to that.
setInterval(() => {}, 1000);
setTimeout(misbehave, 20);
