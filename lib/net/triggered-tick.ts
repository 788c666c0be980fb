/**
 * process.nextTick() for what a handle causes, whoever's code runs when it is called: async hooks then see the handle
 * as its trigger, as they do with Node's own servers and sockets.
 */
import { AsyncResource } from 'node:async_hooks';

function runTick<Values extends unknown[]>(
  tick: AsyncResource,
  callback: (...values: Values) => void,
  values: Values,
): void {
  try {
    tick.runInAsyncScope(callback, undefined, ...values);
  } finally {
    tick.emitDestroy();
  }
}

/** `handleAsyncId` is the handle's, or -1 where there has never been one. */
export function nextTickTriggeredBy<Values extends unknown[]>(
  handleAsyncId: number,
  callback: (...values: Values) => void,
  ...values: Values
): void {
  if (handleAsyncId < 0) {
    process.nextTick(callback, ...values);
    return;
  }
  const tick = new AsyncResource('TickObject', {
    triggerAsyncId: handleAsyncId,
    requireManualDestroy: true,
  });
  process.nextTick(runTick, tick, callback, values);
}
