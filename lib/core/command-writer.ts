/**
 * Writes commands into shared memory; the core carries them out once, before the loop blocks.
 * Called by Handle, and by transmit-memory.ts for it.
 */

import { core } from './environment';

/** As enum Command of src-native/core/shared_memory.h. */
export const Command = { receive: 1, send: 2, shutdown: 3, close: 4, option: 5 } as const;

/** As enum Header there. */
const COMMANDS_LENGTH = 0;
const TURN = 4;
const COMMAND_LENGTH = 6;

let exiting = false;

/** Whether the process is at its end: no further turn comes. */
export function isExiting(): boolean {
  return exiting;
}

/** Counts the turns of the loop. */
export function turn(): number {
  return core.control[TURN] as number;
}

/** Has the commands written so far carried out if there is no room for another. */
export function makeRoom(): void {
  if ((core.control[COMMANDS_LENGTH] as number) >= core.commandLimit) core.calls.drain();
}

export function command(
  what: number,
  slot: number,
  generation: number,
  first: number,
  second: number,
  third: number,
): void {
  makeRoom();
  const { control } = core;
  const length = control[COMMANDS_LENGTH] as number;
  const at = core.commandsAt + length;
  control[at] = what;
  control[at + 1] = slot;
  control[at + 2] = generation;
  control[at + 3] = first;
  control[at + 4] = second;
  control[at + 5] = third;
  control[COMMANDS_LENGTH] = length + COMMAND_LENGTH;
  if (exiting) core.calls.flush();
}

/**
 * Resets an accepted connection whose listener has gone since the core handed it over, as the kernel resets those that
 * still wait to be accepted then.
 */
export function turnAway(slot: number, generation: number): void {
  command(Command.close, slot, generation, 1, 0, 0);
}

// What was written leaves before the process does, and what an 'exit' listener still writes leaves
// at once, since no further turn comes.
if (core !== undefined) {
  // Bytes that the kernel has no room for keep the process. Those of the last turn are not known yet when the loop ends:
  // it goes on if there are events that tell of them. Of what peers have sent meanwhile it does not: they may never pause.
  process.on('beforeExit', () => {
    if (core.calls.flush()) setImmediate(() => undefined);
  });
  process.on('exit', () => {
    exiting = true;
    core.calls.flush();
  });
}
