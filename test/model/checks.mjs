// What `npm run model` asks Spin: the checks that must find nothing, and the mutants of model.pml,
// each of which must be rejected for the reason given.

/**
 * A search of the whole model with so many connections and commands of JavaScript. `claim` names an
 * LTL formula of model.pml; without one it is the invariants and that nothing stands still.
 */
export const CHECKS = [
  { what: 'the invariants hold', connections: 2, commands: 2 },
  { what: 'the invariants hold, longer talk', connections: 1, commands: 3 },
  { what: 'what is closed is freed', claim: 'freed', connections: 2, commands: 2 },
  { what: 'the exit drains', claim: 'drains', connections: 2, commands: 2 },
];

/** Further ones, which take minutes and up to 4 GB. */
export const LONG_CHECKS = [
  { what: 'the invariants hold', connections: 1, commands: 5 },
  { what: 'the invariants hold', connections: 2, commands: 3 },
  { what: 'the invariants hold', connections: 3, commands: 2 },
  { what: 'what is closed is freed', claim: 'freed', connections: 1, commands: 4 },
];

/**
 * rejectedBy: the remark of the invariant that must be found broken, or its beginning; or the claim.
 */
export const MUTANTS = [
  ['FORGET_QUEUE', 'an entry of the accept queue holds no reference', '7: an entry of a queue'],
  ['FORGET_OPERATION', 'an operation holds no reference', '8: an operation in flight refers'],
  ['FORGET_EVENT', 'an event holds no reference', '6: an undelivered event finds'],
  ['RELEASE_ON_FIRST', 'the first completion counts as the last', "8: an operation's reference"],
  ['RELEASE_CONSUMER_TWICE', 'close drops the consumer twice', '3: a reference is dropped once'],
  ['CLOSE_IN_FLIGHT', 'close closes the descriptor at once', '9: a descriptor is closed only'],
  ['CLOSE_AND_ABORT', 'a close is also an abort', '5: exactly one of close and abort'],
  ['PUBLISH_INCOMPLETE', 'a child is queued before its attach', '7: a child is published only'],
  ['ACCEPT_LEAVES_ENTRY', 'an accepted child stays queued', '7: queue references are'],
  ['FORGET_QUEUED', 'a listener closes without aborting its queue', '7: a listener outlives'],
  ['DETACH_FAILED_ATTACH', 'a failed attach is detached', '2: detach comes once'],
  ['DETACH_TWICE', 'detach comes twice', '2: detach comes once'],
  ['DETACH_WITHOUT_AWAITING', 'detach() awaits no operation', '9: a descriptor is closed only'],
  ['RETRY_CLOSED', 'a closed listener accepts again', '9: an operation starts on an open'],
  ['EVENT_AFTER_CLOSE', 'a closing socket reports events', '6: only an open socket'],
  ['FAREWELL_AT_CLOSE', "'closed' is queued by close", "6: 'closed' comes once"],
  ['REUSE_EARLY', "a slot is free before 'closed' was seen", '10: a slot is free after'],
  ['FORGET_GENERATION', 'a command finds its socket by slot alone', '10: a stale name'],
  ['FORGET_DISCARD', 'a late connection is kept by nobody', '11: no descriptor outlives'],
  ['LOSE_BUFFER', 'late bytes are kept by nobody', '11: no buffer stays out'],
  ['EXIT_WITHOUT_AWAITING', 'the exit awaits no operation', '11: no socket outlives'],
  ['FORGET_RECLAIM', 'nobody reclaims', '3: a socket is freed if and only if'],
  ['FORGET_CANCEL', 'close cancels nothing', 'freed', { claim: 'freed' }],
  ['FORGET_CANCEL', 'close cancels nothing', 'drains', { claim: 'drains' }],
].map(([name, what, rejectedBy, options = {}]) => ({
  name,
  what,
  rejectedBy,
  connections: 2,
  commands: 2,
  ...options,
}));
