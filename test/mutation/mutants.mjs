// All mutants of the sources, and the few that stand for them in continuous integration.
import { ASSERTIONS } from './assertions.mjs';
import { CORE } from './core.mjs';
import { ENGINE } from './engine.mjs';
import { HOST } from './host.mjs';
import { LIBRARY } from './library.mjs';
import { SOCKET } from './socket.mjs';

export const MUTANTS = [...SOCKET, ...HOST, ...CORE, ...ENGINE, ...ASSERTIONS, ...LIBRARY];

/** One each of what goes wrong with a count, an attach, a detach, an operation and a name. */
export const SAMPLE = [
  "the consumer's reference is dropped twice",
  'a failed attach counts as a detach too',
  'detach comes twice',
  'a released descriptor is closed all the same',
  'the first completion counts as the last',
  'a name is found by its slot alone',
];
