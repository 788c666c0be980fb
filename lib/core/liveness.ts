/**
 * Whether sockets keep the process alive, by libuv's rules: a handle with a request under way or
 * that is closing does, and a referenced one does while it reads or listens. References in the
 * sense of the core's count have nothing to do with it.
 */

import { core } from './environment';

/** What a handle does, as bits of one number, since there are as many handles as connections. */
export const Activity = {
  /** The program has not unref'd it. */
  referenced: 1,
  /** The core was told to receive. */
  receiving: 2,
  /** The peer has sent its last byte, or reading has failed: nothing more is waited for. */
  ended: 4,
  listening: 8,
  /** A connect, write or shutdown is under way. */
  requesting: 16,
  closing: 32,
} as const;

let holders = 0;

/** To be told of every change of a handle's activities. */
export function activitiesChanged(before: number, after: number): void {
  const held = keepsLoop(before);
  if (held === keepsLoop(after)) return;
  holders += held ? -1 : 1;
  if (holders === (held ? 0 : 1)) core.calls.referenceLoop(!held);
}

function keepsLoop(activities: number): boolean {
  const { referenced, receiving, ended, listening, requesting, closing } = Activity;
  if ((activities & (requesting | closing)) !== 0) return true;
  if ((activities & referenced) === 0) return false;
  return (activities & (receiving | ended)) === receiving || (activities & listening) !== 0;
}
