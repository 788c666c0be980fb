// Mutants of src-native/engine: operations and their final completions, cancelling, lists, buffers,
// and how much a turn takes.
// Left out, since nothing can tell them from the source:
// - a forgotten channel that keeps the error of its last send: it goes with its socket;
// - a channel that still points to what is left of a finished send: the next send points elsewhere
//   before anybody looks.
import { mutantsOf, replace, twice, without, withoutAfter } from './changes.mjs';

const ACCEPTS = ['engine_accept_test'];
const RECEIVES = ['engine_receive_share_test', 'engine_receive_test'];
const ENGINES = ['engine_lifetime_test', ...RECEIVES, 'engine_send_test', ...ACCEPTS];

const queue = mutantsOf('src-native/engine/completion_queue.cpp', ENGINES, {
  'an operation is over before its completion was taken': replace(
    'state = OperationState::finished; --unfinished_;',
    'state = OperationState::idle; --unfinished_;',
  ),
  'an operation stays in flight after its final completion': without(
    'state = OperationState::idle;',
  ),
  'an operation that completed is not counted': without('++ledger_->operations_completed;'),
  'an operation forgets that it is being cancelled': without('state = OperationState::cancelling;'),
  'connections that nobody took stay open': replace('::close(completion.result);', '{}'),
});

const receiveShare = mutantsOf(
  'src-native/engine/receive_share.h',
  RECEIVES,
  {
    'a share never grows': replace('std::min(buffers_ * 2, kMost)', '1'),
    'a share grows without bound': replace('std::min(buffers_ * 2, kMost)', 'buffers_ * 2'),
    'a share that was not filled grows': replace(
      'filled ? static_cast<std::uint8_t>(std::min(buffers_ * 2, kMost)) : 1;',
      'static_cast<std::uint8_t>(std::min(buffers_ * 2, kMost));',
    ),
    'a share that was not filled stays as large': replace('kMost)) : 1;', 'kMost)) : buffers_;'),
    'a share does not begin anew after a stop': replace('{ buffers_ = 1; }', '{}'),
  },
  [
    'src-native/engine/epoll_engine.cpp',
    'src-native/engine/uring_engine.cpp',
    'src-native/engine/uring_completions.cpp',
  ],
);

const RESTARTS = [...RECEIVES, 'kernel_listener_test'];
const uringShares = mutantsOf('src-native/engine/uring_engine.cpp', RESTARTS, {
  'a busy engine keeps the connections of a shared listener': without(
    'if (channel.shared && channel.read_kind == Kind::accept) channel.engine_flags |= kPollRead;',
  ),
  'a receive has the share of the one before it': without('channel.receive_share.begin();'),
  'a receive has one buffer for its share': replace(
    'receive_limit_ * channel.receive_share.buffers()',
    'receive_limit_',
  ),
  'all that is to be started again is so at once': replace(
    'turns = std::exchange(due_, 0);',
    'turns = restart_.size();',
  ),
  'what was started again makes others due': replace('std::exchange(due_, 0)', 'due_'),
  'what is due is thought to be listed still': replace(
    'turns > 0 && !restart_.empty(); --turns',
    'turns > 0; --turns',
  ),
  'what the kernel ended is never due': without('due_ = restart_.size();'),
  'who gets a buffer waits for another turn': without('++due_;'),
  'a turn starts nothing again': replace('restart(); hand_over();', 'hand_over();'),
  'who waits starts nothing again': replace('restart(); ++system_calls_;', '++system_calls_;'),
});

const uringPortions = mutantsOf('src-native/engine/uring_completions.cpp', RECEIVES, {
  'a share that was filled does not grow': without(
    'channel.receive_share.end_turn(result == static_cast<std::int32_t>(buffers_.size()));',
  ),
  'a share passes for filled': replace(
    'end_turn(result == static_cast<std::int32_t>(buffers_.size()))',
    'end_turn(true)',
  ),
});

const epollShares = mutantsOf('src-native/engine/epoll_engine.cpp', RECEIVES, {
  'a receive has the share of the one before it': without('channel.receive_share.begin();'),
  'a receive goes on beyond its share': replace('filled < share && others', 'others'),
  'a share that was filled does not grow': without(
    'channel.receive_share.end_turn(filled == share);',
  ),
  'a share passes for filled': replace('end_turn(filled == share)', 'end_turn(true)'),
});

const uring = mutantsOf('src-native/engine/uring_engine.cpp', ENGINES, {
  'a cancel that misses is not repeated': without(
    'restart_later(channel, tag == kReadTag ? kCancelRead : kCancelWrite);',
  ),
  'reading is not cancelled': without('ask_to_cancel(channel, kReadTag); return;'),
  'a cancelled receive does not wait for its final completion': replace(
    'ask_to_cancel(channel, kReadTag); return;',
    'ask_to_cancel(channel, kReadTag);',
  ),
  'a cancelled send does not wait for its final completion': replace(
    'ask_to_cancel(channel, kWriteTag); return;',
    'ask_to_cancel(channel, kWriteTag);',
  ),
  'the kernel is not known to have a receive': without('channel.engine_flags |= kReadInKernel;'),
  'the list of restarts keeps a forgotten channel': without('restart_.remove(channel);'),
  'a cancelled receive is started again all the same': without(
    'channel.engine_flags &= ~(kRestartRead | kPollRead);',
  ),
  'who waits for a buffer is not woken': without(
    'restart_later(starved_.pop_front(), kRestartRead);',
  ),
});

const uringCompletions = mutantsOf('src-native/engine/uring_completions.cpp', ENGINES, {
  'the kernel is thought to have what has ended': replace('if (!more) {', 'if (false) {'),
  'a connection that is not the last restarts its accept': without('if (more) return;'),
  'an empty pool ends a receive': replace(
    'result == -ENOBUFS || result == -EINTR',
    'result == -EINTR',
  ),
  'who waits for a buffer is not remembered': without('starved_.push_back(channel);'),
  'what is left of a send is not freed': replace(
    'delete std::exchange(channel.pending_send, nullptr);',
    'channel.pending_send = nullptr;',
  ),
  'a buffer that the kernel filled is thought to be with it': without('buffers_.taken();'),
});

const buffers = mutantsOf('src-native/engine/uring_buffers.cpp', ENGINES, {
  'a buffer goes to the kernel twice': twice(
    'add(buffer, 0); io_uring_buf_ring_advance(entries_, 1);',
  ),
  'a buffer does not come back': without('add(buffer, 0); io_uring_buf_ring_advance(entries_, 1);'),
  'a buffer that came back is not counted': without('++available_;'),
});

const epoll = mutantsOf('src-native/engine/epoll_engine.cpp', ENGINES, {
  'a forgotten channel stays registered': without(
    'is_ours = ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, channel.descriptor, nullptr) == 0;',
  ),
  'a forgotten channel stays on the list of the ready': without('ready_.remove(channel);'),
  'a forgotten channel keeps its flags': without('channel.engine_flags = 0;'),
  'a cancelled receive still waits for a buffer': withoutAfter(
    'queue_.finish(channel, channel.read_kind, -ECANCELED);',
    'starved_.remove(channel);',
  ),
  'a buffer is filled twice': without('free_buffers_.pop_back();'),
  'a buffer does not come back': without('free_buffers_.push_back(buffer);'),
  'a buffer comes back twice': twice('free_buffers_.push_back(buffer);'),
  'who waits for a buffer is not remembered': without('starved_.push_back(channel);'),
  'what is left of a cancelled send is not freed': replace(
    'finish_send(channel, failed_send_result(channel, channel.pending_send->sent, -ECANCELED));',
    'queue_.finish(channel, Kind::send, -ECANCELED);',
  ),
});

const epollAccepts = mutantsOf('src-native/engine/epoll_engine.cpp', ACCEPTS, {
  'running out of descriptors is not told': replace(
    'queue_.finish(channel, Kind::accept, -error);',
    'channel.engine_flags &= ~kReadable;',
  ),
});

const sends = mutantsOf('src-native/engine/pending_send.cpp', ['engine_send_test'], {
  'an error behind the last bytes is lost': without(
    'if (error != -ECANCELED) channel.deferred_send_error = error;',
  ),
  'bytes that have left are sent again': without('piece.iov_len -= taken;'),
});

export const ENGINE = [
  ...queue,
  ...receiveShare,
  ...uringShares,
  ...uringPortions,
  ...epollShares,
  ...uring,
  ...uringCompletions,
  ...buffers,
  ...epoll,
  ...epollAccepts,
  ...sends,
];
