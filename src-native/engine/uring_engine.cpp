// The io_uring engine's calls: each becomes a submission, but for sends that cannot wait for it.
#include "engine/uring_engine.h"

#if SOREF_HAVE_LIBURING

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/assert.h"
#include "engine/channel_report.h"
#include "engine/pending_send.h"
#include "engine/uring_marks.h"
#include "engine/uring_probe.h"

namespace soref::engine {
namespace {

constexpr unsigned kEntries = 1024;
constexpr unsigned kCompletionEntries = 4096;
// How often collect() enters the kernel before it lets the caller have a turn.
constexpr int kRoundsPerCollect = 64;

// Bytes up to which a send may wait for the turn's others. Whoever sends more wants to know at once
// what has left.
constexpr std::size_t kSmallSend = std::size_t{16} * 1024;

bool is_small(std::span<const iovec> pieces) noexcept {
  std::size_t bytes = 0;
  for (const iovec& piece : pieces) bytes += piece.iov_len;
  return bytes <= kSmallSend;
}

std::uint64_t user_data(const Channel& channel, std::uint64_t tag) noexcept {
  return reinterpret_cast<std::uintptr_t>(&channel) | tag;
}

}  // namespace

std::unique_ptr<UringEngine> UringEngine::make(const RingMode& mode, BufferPool pool,
                                               base::Ledger& ledger, std::string& reason) {
  std::unique_ptr<UringEngine> engine(new UringEngine(mode, pool, ledger));
  int error = engine->ring_.open(mode, kEntries, kCompletionEntries);
  if (error == 0) error = engine->buffers_.provide(engine->ring_.get());
  if (error != 0) {
    reason = explain_refusal(-error);
    return nullptr;
  }
  return engine;
}

UringEngine::UringEngine(const RingMode& mode, BufferPool pool, base::Ledger& ledger)
    : Engine(ledger),
      receive_limit_(mode.limited_receives ? pool.size : 0),
      buffers_(pool),
      queue_(ledger),
      restart_(kOnRestart),
      starved_(kOnStarved) {}

// --- starting

io_uring_sqe& UringEngine::entry() noexcept {
  for (;;) {
    io_uring_sqe* free_entry = io_uring_get_sqe(ring_.get());
    if (free_entry != nullptr) return *free_entry;
    enter();
    // The kernel takes nothing while completions that found no room wait for it.
    take_completions();
  }
}

void UringEngine::start_reading(Channel& channel) noexcept {
  io_uring_sqe& read = entry();
  // Of those whose accepts wait for one listener the kernel wakes one, always the first, also while
  // it is busy. A poll wakes all.
  if (channel.shared && channel.read_kind == Kind::accept) channel.engine_flags |= kPollRead;
  if ((channel.engine_flags & kPollRead) != 0) {
    io_uring_prep_poll_add(&read, channel.descriptor, POLLIN);
  } else if (channel.read_kind == Kind::accept) {
    // No address is asked for: all completions of a multishot accept would share its memory.
    io_uring_prep_multishot_accept(&read, channel.descriptor, nullptr, nullptr, SOCK_CLOEXEC);
  } else {
    UringBuffers::prepare_receive(read, channel.descriptor,
                                  receive_limit_ * channel.receive_share.buffers());
  }
  read.user_data = user_data(channel, kReadTag);
  channel.engine_flags |= kReadInKernel;
}

void UringEngine::start_writing(Channel& channel) noexcept {
  io_uring_sqe& write = entry();
  if (channel.write_kind == Kind::connect || (channel.engine_flags & kPollWrite) != 0) {
    io_uring_prep_poll_add(&write, channel.descriptor, POLLOUT);
  } else {
    // Without MSG_WAITALL, with which the kernel would hide an error behind the bytes that left
    // before it.
    constexpr int kFlags = MSG_NOSIGNAL;
    const msghdr& message = channel.pending_send->message;
    const iovec& first = *message.msg_iov;
    // The kernel copies a message header, which one piece does not need.
    if (message.msg_iovlen == 1) {
      io_uring_prep_send(&write, channel.descriptor, first.iov_base, first.iov_len, kFlags);
    } else {
      io_uring_prep_sendmsg(&write, channel.descriptor, &message, kFlags);
    }
  }
  write.user_data = user_data(channel, kWriteTag);
  channel.engine_flags |= kWriteInKernel;
}

void UringEngine::accept(Channel& channel) noexcept {
  queue_.start(channel, Kind::accept);
  start_reading(channel);
}

void UringEngine::receive(Channel& channel) noexcept {
  channel.receive_share.begin();
  queue_.start(channel, Kind::receive);
  start_reading(channel);
}

void UringEngine::connect(Channel& channel) noexcept {
  queue_.start(channel, Kind::connect);
  start_writing(channel);
}

void UringEngine::send(Channel& channel, std::span<const iovec> pieces) noexcept {
  queue_.start(channel, Kind::send);
  // All of a turn's leave in one system call, which also keeps the peers on this machine, whom each
  // wakes, from interrupting it. One that a half-close or a close waits for is tried at once, so
  // that these follow in the same turn.
  if (!channel.awaited && channel.deferred_send_error == 0 && is_small(pieces)) {
    channel.pending_send = new PendingSend(pieces, 0);
    start_writing(channel);
    return;
  }
  ++system_calls_;
  const FirstSend first = send_at_once(channel, pieces);
  if (first.ended) {
    queue_.finish(channel, Kind::send, first.result);
    return;
  }
  start_writing(channel);
}

void UringEngine::cancel_read(Channel& channel) noexcept {
  if (!queue_.cancel_read(channel)) return;
  if ((channel.engine_flags & kReadInKernel) != 0) {
    ask_to_cancel(channel, kReadTag);
    return;
  }
  // The kernel has ended it already, and it was to be started again.
  channel.engine_flags &= ~(kRestartRead | kPollRead);
  starved_.remove(channel);
  queue_.finish(channel, channel.read_kind, -ECANCELED);
}

void UringEngine::cancel_write(Channel& channel) noexcept {
  if (!queue_.cancel_write(channel)) return;
  if ((channel.engine_flags & kWriteInKernel) != 0) {
    ask_to_cancel(channel, kWriteTag);
    return;
  }
  channel.engine_flags &= ~(kRestartWrite | kPollWrite);
  complete_send(channel, -ECANCELED);
}

void UringEngine::ask_to_cancel(Channel& channel, std::uint64_t tag) noexcept {
  // The request's own result is not looked at. Mostly it finds the operation, whose final
  // completion follows at once. But where the kernel is just about to try the operation again it
  // finds none, and the operation goes on for ever. That is the rule for a send that waits for room
  // while the peer has ended its side: the kernel then takes the descriptor for ready all the time.
  // So the request is repeated in every turn, until the final completion has come.
  restart_later(channel, tag == kReadTag ? kCancelRead : kCancelWrite);
  io_uring_sqe& cancel = entry();
  io_uring_prep_cancel64(&cancel, user_data(channel, tag), 0);
  cancel.flags |= IOSQE_CQE_SKIP_SUCCESS;
  cancel.user_data = kCancelTag;
}

bool UringEngine::forget(Channel& channel) noexcept {
  SOREF_ASSERT_ABOUT(channel.idle(), "a channel is forgotten when it has nothing in flight",
                     ChannelReport(channel));
  restart_.remove(channel);
  starved_.remove(channel);
  SOREF_ASSERT_ABOUT(channel.engine_flags == 0, "the kernel holds nothing of an idle channel",
                     ChannelReport(channel));
  channel.deferred_send_error = 0;
  channel.broken_by = 0;
  return true;
}

// --- running

void UringEngine::hand_over() noexcept {
  if (io_uring_sq_ready(ring_.get()) > 0) enter();
}

void UringEngine::submit() noexcept {
  ring_.disarm_wakeup();
  restart();
  hand_over();
  collect();
  ring_.arm_wakeup();
}

void UringEngine::reap() noexcept {
  ring_.disarm_wakeup();
  collect();
  due_ = restart_.size();
}

void UringEngine::wait(int timeout_milliseconds) noexcept {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_milliseconds);
  reap();
  while (queue_.empty()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - Clock::now()).count();
    if (left <= 0) return;
    __kernel_timespec limit{};
    limit.tv_sec = left / 1'000'000'000;
    limit.tv_nsec = left % 1'000'000'000;
    io_uring_cqe* first = nullptr;
    restart();
    ++system_calls_;
    io_uring_submit_and_wait_timeout(ring_.get(), &first, 1, &limit, nullptr);
    reap();
  }
}

bool UringEngine::has_work() const noexcept {
  return !queue_.empty() || !restart_.empty() || (!starved_.empty() && buffers_.available() > 0) ||
         io_uring_sq_ready(ring_.get()) > 0 || io_uring_cq_ready(ring_.get()) > 0 ||
         ring_.has_more();
}

void UringEngine::acknowledge_wakeup() noexcept {
  if (ring_.acknowledge_wakeup()) ++system_calls_;
}

void UringEngine::enter() noexcept {
  ++system_calls_;
  // Entries that it does not take (out of memory, or completions in the way) stay for the next
  // time, and has_work() tells of them.
  static_cast<void>(io_uring_submit_and_get_events(ring_.get()));
}

void UringEngine::collect() noexcept {
  take_completions();
  for (int round = 0; round < kRoundsPerCollect && ring_.has_more(); ++round) {
    enter();
    take_completions();
  }
}

void UringEngine::take_completions() noexcept {
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* completion = nullptr;
  io_uring_for_each_cqe(ring_.get(), head, completion) {
    complete(*completion);
    ++count;
  }
  if (count > 0) io_uring_cq_advance(ring_.get(), count);
}

void UringEngine::restart() noexcept {
  // Those that waited for a buffer get one each, the longest wait first.
  for (auto turns = std::min<std::size_t>(starved_.size(), buffers_.available()); turns > 0;
       --turns) {
    restart_later(starved_.pop_front(), kRestartRead);
    ++due_;
  }
  for (std::size_t turns = std::exchange(due_, 0); turns > 0 && !restart_.empty(); --turns) {
    Channel& channel = restart_.pop_front();
    const std::uint32_t what = channel.engine_flags & (kRestartRead | kRestartWrite);
    channel.engine_flags &= ~what;
    if ((channel.engine_flags & kCancelRead) != 0) ask_to_cancel(channel, kReadTag);
    if ((channel.engine_flags & kCancelWrite) != 0) ask_to_cancel(channel, kWriteTag);
    if ((what & kRestartRead) != 0) start_reading(channel);
    if ((what & kRestartWrite) != 0) start_writing(channel);
  }
}

void UringEngine::restart_later(Channel& channel, std::uint32_t what) noexcept {
  // One that waits for a buffer gets its turn early if its send needs one.
  if (starved_.contains(channel)) {
    starved_.remove(channel);
    channel.engine_flags |= kRestartRead;
  }
  channel.engine_flags |= what;
  if (!restart_.contains(channel)) restart_.push_back(channel);
}

}  // namespace soref::engine

#endif  // SOREF_HAVE_LIBURING
