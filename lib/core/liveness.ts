/**
 * Whether sockets keep the process alive, by libuv's rules: a handle with a request under way or
 * that is closing does, and a referenced one does while it reads or listens. References in the
 * sense of the core's count have nothing to do with it.
 */

import { core } from './environment';

let holders = 0;

export function holdLoop(): void {
  if (holders++ === 0) core.calls.referenceLoop(true);
}

export function releaseLoop(): void {
  if (--holders === 0) core.calls.referenceLoop(false);
}
