/**
 * What async hooks are told of the handles and requests of lib/core: the end of each is told by hand, when it comes,
 * and some are caused by another handle rather than by the code that makes them (Node's documentation,
 * "new AsyncResource()").
 */

const byItsMaker = { requireManualDestroy: true };
/** Filled in for each use, so that accepting a connection makes no object. */
const byAnother = { requireManualDestroy: true, triggerAsyncId: 0 };

/** The options of an AsyncResource, to be given to its constructor at once. */
export function causedBy(asyncId: number | undefined): typeof byItsMaker {
  if (asyncId === undefined) return byItsMaker;
  byAnother.triggerAsyncId = asyncId;
  return byAnother;
}
