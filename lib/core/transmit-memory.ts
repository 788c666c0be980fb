/**
 * The memory from which the core sends the small writes of a turn: copies bytes and encodes text into it. Called by
 * Handle only.
 */

import { Command, command, makeRoom } from './command-writer';
import { core } from './environment';

/** As enum Header of src-native/core/shared_memory.h. */
const DRAINS = 3;

/** Writes up to this many bytes travel through shared memory; larger ones are sent from where they are. */
export const smallWrite = 16 * 1024;

let transmitDrains = -1;
let transmitUsed = 0;

/** Counts how often the transmit memory became free, because its bytes had been copied out. */
function drains(): number {
  return core.control[DRAINS] as number;
}

/**
 * An offset with room for `size` bytes, valid until the next command is written. There is room for that command too:
 * if it had the others carried out first, what the memory holds of it would be free to be written over.
 */
function room(size: number): number {
  makeRoom();
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

/** Copies at most `smallWrite` bytes into shared memory, and returns how many. */
export function copy(bytes: Uint8Array): number {
  core.transmit.set(bytes, room(bytes.length));
  return bytes.length;
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

/** A part of a write, as streams collect them. Text that is called a buffer is UTF-8. */
export interface Piece {
  readonly chunk: Uint8Array | string;
  readonly encoding: BufferEncoding | 'buffer';
}

function charsetOf({ encoding }: Piece): BufferEncoding {
  return encoding === 'buffer' ? 'utf8' : encoding;
}

export function bytesOf(piece: Piece): Uint8Array {
  const { chunk } = piece;
  return typeof chunk === 'string' ? Buffer.from(chunk, charsetOf(piece)) : chunk;
}

/** The most bytes that the pieces can take; more than any small write where unknown. */
export function longestTogether(pieces: readonly Piece[]): number {
  let longest = 0;
  for (const piece of pieces) {
    const { length } = piece.chunk;
    longest += typeof piece.chunk === 'string' ? longestEncoding(length, charsetOf(piece)) : length;
  }
  return longest;
}

/** As encode(), for several pieces, one behind the other. */
export function encodeTogether(pieces: readonly Piece[], longest: number): number {
  const start = room(longest);
  let end = start;
  for (const piece of pieces) {
    const { chunk } = piece;
    if (chunk.length === 0) continue;
    if (typeof chunk === 'string') {
      end += core.transmit.write(chunk, end, charsetOf(piece));
    } else {
      core.transmit.set(chunk, end);
      end += chunk.length;
    }
  }
  return end - start;
}

/** Sends what copy(), encode() or encodeTogether() has just written; `notify` asks for an event when it has left. */
export function sendWritten(
  slot: number,
  generation: number,
  length: number,
  notify: boolean,
): void {
  const offset = transmitUsed;
  transmitUsed = offset + length;
  command(Command.send, slot, generation, offset, length, notify ? 1 : 0);
}
