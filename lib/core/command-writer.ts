/**
 * Writes commands into shared memory; the core carries them out once, before the loop blocks.
 * Called by Handle only. Also the place where small writes are copied and encoded.
 */

import { core } from './environment';

/** As enum Command of src-native/core/shared_memory.h. */
export const Command = { receive: 1, send: 2, shutdown: 3, close: 4, option: 5 } as const;

/** As enum Header there. */
const COMMANDS_LENGTH = 0;
const DRAINS = 3;
const TURN = 4;
const COMMAND_LENGTH = 6;

/** Writes up to this many bytes travel through shared memory; larger ones are sent from where they are. */
export const smallWrite = 16 * 1024;

let transmitDrains = -1;
let transmitUsed = 0;
let exiting = false;

/** Counts the turns of the loop. */
export function turn(): number {
  return core.control[TURN] as number;
}

export function command(
  what: number,
  slot: number,
  generation: number,
  first: number,
  second: number,
  third: number,
): void {
  const { control } = core;
  let length = control[COMMANDS_LENGTH] as number;
  if (length >= core.commandLimit) {
    core.calls.drain();
    length = 0;
  }
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

/** Counts how often the transmit memory became free, because its bytes had been copied out. */
function drains(): number {
  return core.control[DRAINS] as number;
}

/** An offset with room for `size` bytes, valid until the next command is written. */
function room(size: number): number {
  if (transmitDrains !== drains()) {
    transmitDrains = drains();
    transmitUsed = 0;
  }
  if (transmitUsed + size > core.transmit.length) {
    core.calls.drain();
    transmitDrains = drains();
    transmitUsed = 0;
  }
  return transmitUsed;
}

/** Sends at most `smallWrite` bytes; `notify` asks for an event when they have left. */
export function sendBytes(
  slot: number,
  generation: number,
  bytes: Uint8Array,
  notify: boolean,
): void {
  const offset = room(bytes.length);
  core.transmit.set(bytes, offset);
  transmitUsed = offset + bytes.length;
  command(Command.send, slot, generation, offset, bytes.length, notify ? 1 : 0);
}

/** The most bytes that `length` characters can take; more than any small write where unknown. */
export function longestEncoding(length: number, encoding: BufferEncoding): number {
  switch (encoding) {
    case 'utf8':
    case 'utf-8':
      return length * 3;
    case 'latin1':
    case 'binary':
    case 'ascii':
      return length;
    case 'ucs2':
    case 'ucs-2':
    case 'utf16le':
    case 'utf-16le':
      return length * 2;
    default:
      return Number.MAX_SAFE_INTEGER;
  }
}

/**
 * Encodes text straight into shared memory and returns how many bytes that gave. The text must fit:
 * at most `smallWrite` bytes in its longest possible encoding.
 */
export function encode(text: string, encoding: BufferEncoding, longest: number): number {
  return core.transmit.write(text, room(longest), longest, encoding);
}

/** Sends what encode() has just written. */
export function sendEncoded(
  slot: number,
  generation: number,
  length: number,
  notify: boolean,
): void {
  const offset = transmitUsed;
  transmitUsed = offset + length;
  command(Command.send, slot, generation, offset, length, notify ? 1 : 0);
}

// What was written leaves before the process does, and what an 'exit' listener still writes leaves
// at once, since no further turn comes.
if (core !== undefined) {
  process.on('exit', () => {
    exiting = true;
    core.calls.flush();
  });
}
