/**
 * Starts this environment's core: picks the engine, and holds the shared memory and what else the
 * rest of lib/core writes to and reads from. Loaded once per environment (main thread or worker).
 */

import { type Calls, loadAddon } from './addon';
import type { Ledger, SocketStatus } from './reports';

const choices: Record<string, number> = { auto: 0, io_uring: 1, epoll: 2 };

function engineError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function requestedEngine(): string {
  const requested = process.env.SOREF_ENGINE || 'auto';
  if (!Object.hasOwn(choices, requested)) {
    throw engineError(
      'ERR_SOREF_ENGINE_INVALID',
      `SOREF_ENGINE must be one of auto, io_uring, epoll. Received '${requested}'`,
    );
  }
  return requested;
}

interface Core {
  readonly calls: Calls;
  readonly control: Int32Array;
  readonly transmit: Buffer;
  readonly receive: Buffer;
  readonly receiveBufferSize: number;
  readonly commandsAt: number;
  /** Integers that fit into the command region. */
  readonly commandLimit: number;
  readonly eventsAt: number;
  readonly eventLength: number;
}

/** Where the core calls when events wait. Filled in by the event dispatcher when it is loaded. */
export const upcalls: { deliver: () => void } = { deliver() {} };

const requested = requestedEngine();
const loaded = loadAddon();

let reasonForNone = '';

/** Where no core can be had node:net serves, unless a core was asked for. */
function unavailable(reason: string): undefined {
  if (requested !== 'auto') {
    throw engineError(
      'ERR_SOREF_ENGINE_UNAVAILABLE',
      `SOREF_ENGINE=${requested} is not available: ${reason}`,
    );
  }
  reasonForNone = reason;
}

function start(): Core | undefined {
  if (loaded.addon === undefined) return unavailable(loaded.reason);
  const { layout } = loaded.addon;
  const calls = loaded.addon.start(choices[requested] as number, () => upcalls.deliver());
  if (calls.engine === undefined) return unavailable(calls.reason);
  return {
    calls,
    control: new Int32Array(calls.control),
    transmit: Buffer.from(calls.transmit),
    receive: Buffer.from(calls.receive),
    receiveBufferSize: layout.receiveBufferSize,
    commandsAt: layout.commandsAt,
    commandLimit: layout.commandLength * layout.commandCapacity,
    eventsAt: layout.eventsAt,
    eventLength: layout.eventLength,
  };
}

const started = start();

/** Which engine runs; 'node' when there is no core here and node:net serves instead. */
export const engine: 'io_uring' | 'epoll' | 'node' = started?.calls.engine ?? 'node';

/** Why there is no core, or why `auto` passed over io_uring; '' if neither. */
export const engineReason: string = started?.calls.reason ?? reasonForNone;

/** The started core. Only code that runs with one may touch it: lib/index.ts sees to that. */
export const core = started as Core;

const noLedger: Ledger = {
  attachAttempted: 0,
  attached: 0,
  detached: 0,
  live: 0,
  lives: { allocated: 0, attached: 0, queued: 0, open: 0, closing: 0, detached: 0 },
  connections: { idle: 0, connecting: 0, connected: 0, disconnected: 0, listening: 0 },
  references: { consumer: 0, queue: 0, protocol: 0, operation: 0, event: 0 },
  descriptors: 0,
  attachFailed: 0,
  operations: { submitted: 0, completed: 0, inFlight: 0 },
  events: { queued: 0, delivered: 0, waiting: 0 },
  pinnedBuffers: 0,
  acceptsPaused: 0,
  staleNames: 0,
  badCommands: 0,
  systemCalls: 0,
};

/** The counters of this environment, after everything asked for so far has been carried out. */
export function ledger(): Ledger {
  return started === undefined ? structuredClone(noLedger) : started.calls.ledger();
}

/** A row per socket that is attached now. */
export function sockstat(): SocketStatus[] {
  return started === undefined ? [] : started.calls.sockstat();
}
