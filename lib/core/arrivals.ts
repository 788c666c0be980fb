/**
 * Counts the bytes that arrived in this turn of the loop, on all sockets together. Called by Handle only.
 */
import { turn } from './command-writer';

let countedTurn = -1;
let bytes = 0;

export function arrived(length: number): void {
  bytes = arrivedInTurn() + length;
}

export function arrivedInTurn(): number {
  if (countedTurn !== turn()) {
    countedTurn = turn();
    bytes = 0;
  }
  return bytes;
}
