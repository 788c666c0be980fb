/**
 * Delivers a turn's events: one call from the core, then one event after the other, each followed
 * by the ticks and microtasks it queued, as Node does between two callbacks of handles.
 */

import { turnAway } from './command-writer';
import { core, upcalls } from './environment';

/** As enum Event of src-native/socket/event_sink.h. */
export const Event = {
  connected: 1,
  connection: 2,
  data: 3,
  end: 4,
  receiveFailed: 5,
  written: 6,
  sendFailed: 7,
  shutDown: 8,
  blocked: 9,
  unblocked: 10,
  closed: 11,
  acceptFailed: 12,
} as const;

/** As enum Header of src-native/core/shared_memory.h. */
const EVENT_COUNT = 1;
const EVENT_CURSOR = 2;

/** Whoever holds a socket by slot and generation. */
export interface EventReceiver {
  readonly generation: number;
  dispatch(event: number, first: number, second: number): void;
}

const receivers: (EventReceiver | undefined)[] = [];

/** Runs what nextTick and promises have queued. Undocumented, but there on every Node line. */
const tickCallback = (process as unknown as { _tickCallback(): void })._tickCallback;

export function register(slot: number, receiver: EventReceiver): void {
  receivers[slot] = receiver;
}

/** Forgets the receiver; nothing for one that never had a slot. */
export function unregister(slot: number, receiver: EventReceiver): void {
  if (receivers[slot] === receiver) receivers[slot] = undefined;
}

/** All that hold a socket now. */
export function attachedReceivers(): EventReceiver[] {
  return receivers.filter((receiver) => receiver !== undefined);
}

/** Who holds the socket of that name; undefined if nobody does. */
export function receiverOf(slot: number, generation: number): EventReceiver | undefined {
  const receiver = receivers[slot];
  return receiver?.generation === generation ? receiver : undefined;
}

/**
 * Called by the core when it has written a batch. An exception of a listener passes through to the
 * core, which reports it as uncaught and calls again: the cursor has moved on by then.
 */
function deliver(): void {
  const { control, eventsAt, eventLength } = core;
  for (;;) {
    const cursor = control[EVENT_CURSOR] as number;
    // Read anew each time: a listener may have run the loop itself, and then it is another batch.
    const count = control[EVENT_COUNT] as number;
    if (cursor >= count) return;
    const at = eventsAt + cursor * eventLength;
    const event = control[at];
    // Whoever writes what he likes into the shared memory may name two thousand million events.
    control[EVENT_CURSOR] = event === undefined ? count : cursor + 1;
    if (event === undefined) return;
    const first = control[at + 3] as number;
    const second = control[at + 4] as number;
    const receiver = receivers[control[at + 1] as number];
    if (receiver !== undefined && receiver.generation === control[at + 2]) {
      receiver.dispatch(event, first, second);
      // The core runs them after the last event of a batch.
      if (cursor + 1 < count) runTicks();
    } else if (event === Event.connection) {
      turnAway(first, second);
    }
  }
}

/**
 * Between two events. A tick that throws leaves its async context open. Node closes it while it reports the exception,
 * so that must happen here: the call that delivers the batch would end in a context of the tick.
 */
export function runTicks(): void {
  try {
    tickCallback();
  } catch (error) {
    core.calls.reportUncaught(error);
  }
}

upcalls.deliver = deliver;

/** A copy of received bytes that nobody else uses: the core's buffer is needed again. */
export function copyReceived(buffer: number, length: number): Buffer {
  const start = buffer * core.receiveBufferSize;
  const copy = Buffer.allocUnsafe(length);
  core.receive.copy(copy, 0, start, start + length);
  return copy;
}

/** Takes the data events of one socket out of the batch that is being delivered. */
export function takeUndelivered(slot: number, generation: number): Buffer[] {
  const { control, eventsAt, eventLength } = core;
  const taken: Buffer[] = [];
  const count = control[EVENT_COUNT] as number;
  for (let index = control[EVENT_CURSOR] as number; index < count; index++) {
    const at = eventsAt + index * eventLength;
    if (control[at] === undefined) break;
    if (control[at] !== Event.data || control[at + 1] !== slot) continue;
    if (control[at + 2] !== generation) continue;
    taken.push(copyReceived(control[at + 3] as number, control[at + 4] as number));
    // Generation 0 names nobody.
    control[at + 2] = 0;
  }
  return taken;
}
