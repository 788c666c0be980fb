// Mutants that leave an assertion out: that it holds elsewhere proves nothing, so a test breaks its
// invariant in a process of its own and wants the report.
// Left out are assertions that nobody outside can break, since another comes first or the same class
// keeps them: that attach and detach come once and at zero, that the count is the sum of its tags,
// that a slot and a name are one socket's, and those of headers that many sources use.
import { mutantsOf, without, withoutAssertion } from './changes.mjs';

function unasserted(file, tests, invariants) {
  const changes = invariants.map((invariant) => [
    `not asserted: ${invariant}`,
    withoutAssertion(invariant),
  ]);
  return mutantsOf(`src-native/${file}`, tests, Object.fromEntries(changes));
}

export const ASSERTIONS = [
  ...unasserted(
    'socket/socket_lifecycle.cpp',
    ['invariants_test', 'socket_lifecycle_test'],
    [
      'a reference is dropped only by who holds it',
      'a count that has reached zero never rises again',
      'the last reference goes only after close or abort',
      'a failed attach attaches nothing',
      'a successful attach gives a control block',
      'a control block is there from attach to detach',
      'no socket outlives its environment',
      'every attach has its detach at exit',
      'a socket is freed only without references',
      'a slot is given back once, after its socket was freed',
      'every attached socket is live or was detached',
      "the ledger's references are those of the live sockets",
      'every reference of a queue is an entry of one',
    ],
  ),
  ...unasserted(
    'socket/socket.cpp',
    ['invariants_test', 'socket_lifecycle_test'],
    [
      "a socket's life takes only legal steps",
      'a connection takes only legal steps',
      'a resource leaves only without operations in flight',
    ],
  ),
  ...unasserted(
    'socket/accept_queue.cpp',
    ['invariants_test', 'socket_lifecycle_test'],
    ['a connection is on one accept queue', 'an accept queue holds its connections'],
  ),
  ...unasserted(
    'host/host_stack.cpp',
    ['kernel_invariants_test'],
    [
      'one operation per direction, each with its reference',
      'nothing starts on a socket that is leaving, but for its last sends',
      'references of operations are as many as operations in flight',
      'a descriptor is closed, or leaves, only without operations in flight',
    ],
  ),
  ...unasserted(
    'host/kernel_protocol.cpp',
    ['kernel_invariants_test'],
    [
      'a descriptor is closed, or leaves, before its control block',
      'close or abort comes before detach',
    ],
  ),
  ...unasserted(
    'host/kernel_transfer.cpp',
    ['kernel_invariants_test'],
    ['one close or abort, and no second'],
  ),
  ...unasserted(
    'core/core.cpp',
    ['kernel_invariants_test'],
    [
      'what outlives its consumer waits for the kernel or its protocol',
      'no descriptor outlives its environment',
      'no operation outlives its environment',
      'no buffer stays pinned after its environment',
      'no event outlives its environment',
      'no reference outlives its environment',
    ],
  ),
  ...unasserted(
    'protocol/send_queue.cpp',
    ['send_queue_test'],
    ['no more bytes leave than were queued'],
  ),
  ...unasserted(
    'engine/completion_queue.cpp',
    ['engine_invariants_test', 'kernel_invariants_test'],
    [
      'one operation per direction at a time',
      'only reading operations complete more than once',
      'a completion belongs to an operation in flight',
      'an operation has one final completion',
      'no more operations finish than have started',
      'a final completion is taken once',
      'an engine goes only when no operation is in flight',
    ],
  ),
  ...mutantsOf('src-native/engine/completion_queue.cpp', ['engine_invariants_test'], {
    'not asserted: a completion that goes on has its kind': without(
      'SOREF_ASSERT_ABOUT(channel.read_kind == kind, "a completion has its operation\'s kind", ChannelReport(channel));',
    ),
    'not asserted: a final completion has its kind': without(
      'SOREF_ASSERT_ABOUT(kind_of(channel, kind) == kind, "a completion has its operation\'s kind", ChannelReport(channel));',
    ),
  }),
  ...unasserted(
    'engine/uring_engine.cpp',
    ['engine_invariants_test'],
    [
      'a channel is forgotten when it has nothing in flight',
      'the kernel holds nothing of an idle channel',
    ],
  ),
  ...unasserted(
    'engine/uring_buffers.cpp',
    ['engine_invariants_test'],
    [
      'the kernel fills only buffers that it was given',
      'a buffer comes back once, to the pool that it came from',
    ],
  ),
  ...unasserted(
    'engine/epoll_engine.cpp',
    ['engine_invariants_test'],
    [
      "connect is a channel's first operation",
      'a channel is forgotten when it has nothing in flight',
      'a buffer comes back once, to the pool that it came from',
      'a buffer comes back once',
    ],
  ),
  ...unasserted(
    'engine/pending_send.cpp',
    ['engine_invariants_test'],
    ['no more bytes leave than were given'],
  ),
  ...mutantsOf('src-native/engine/pending_send.cpp', ['engine_invariants_test'], {
    'not asserted: a send has few pieces': without(
      'SOREF_ASSERT(pieces.size() <= kMaximumPieces, "one send has a limited number of pieces");',
    ),
    'not asserted: what is left of a send has few pieces': without(
      'SOREF_ASSERT(all.size() <= kMaximumPieces, "one send has a limited number of pieces");',
    ),
  }),
];
