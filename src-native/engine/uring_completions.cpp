// What the io_uring engine does with each completion of the kernel: queues what concerns the
// caller, and marks for a restart what the kernel ended and the caller did not. Nothing is started
// here, so that completions can be taken at any time, also while an entry is being prepared.
#if SOREF_HAVE_LIBURING

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "engine/pending_send.h"
#include "engine/socket_error.h"
#include "engine/uring_engine.h"
#include "engine/uring_marks.h"

namespace soref::engine {
namespace {

// The others get their turn after so many.
constexpr int kAcceptsPerPoll = 256;

}  // namespace

void UringEngine::complete(const io_uring_cqe& completion) noexcept {
  const std::uint64_t tag = completion.user_data & kTagMask;
  if (tag == kCancelTag) return;
  Channel& channel = *reinterpret_cast<Channel*>(completion.user_data & ~kTagMask);
  const bool reads = tag == kReadTag;
  const bool more = (completion.flags & IORING_CQE_F_MORE) != 0;
  if (!more) {
    channel.engine_flags &= ~(reads ? kReadInKernel | kCancelRead : kWriteInKernel | kCancelWrite);
  }

  std::int32_t result = completion.res;
  const std::uint32_t poll = channel.engine_flags & (reads ? kPollRead : kPollWrite);
  if (poll != 0) {
    // Ready, or not to be waited for any longer: in both cases the operation has not run.
    channel.engine_flags &= ~poll;
    if (result >= 0) result = -EINTR;
  }
  if (reads && channel.read_kind == Kind::accept) {
    complete_accept(channel, result, more);
  } else if (reads) {
    complete_receive(channel, result, completion.flags);
  } else if (channel.write_kind == Kind::connect) {
    complete_connect(channel, result);
  } else {
    complete_send(channel, result);
  }
}

void UringEngine::complete_accept(Channel& channel, std::int32_t result, bool more) noexcept {
  const bool cancelling = channel.read_state == OperationState::cancelling;
  if (channel.shared && result == -EINTR && !cancelling) result = accept_waiting(channel);
  if (result >= 0) queue_.progress(channel, Kind::accept, result, kNoBuffer);
  if (more) return;
  if (cancelling) {
    queue_.finish(channel, Kind::accept, -ECANCELED);
  } else if (result == -EAGAIN) {
    restart_later(channel, kRestartRead | kPollRead);
  } else if (result >= 0 || concerns_one_connection(-result)) {
    restart_later(channel, kRestartRead);
  } else {
    queue_.finish(channel, Kind::accept, result);
  }
}

std::int32_t UringEngine::accept_waiting(Channel& channel) noexcept {
  for (int i = 0; i < kAcceptsPerPoll; ++i) {
    ++system_calls_;
    const int accepted = ::accept4(channel.descriptor, nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0) return -errno;
    queue_.progress(channel, Kind::accept, accepted, kNoBuffer);
  }
  return -EINTR;
}

void UringEngine::complete_receive(Channel& channel, std::int32_t result, unsigned flags) noexcept {
  if ((flags & IORING_CQE_F_BUFFER) != 0) {
    const std::uint32_t buffer = flags >> IORING_CQE_BUFFER_SHIFT;
    buffers_.taken();
    if (result > 0) {
      queue_.progress(channel, Kind::receive, result, buffer);
    } else {
      buffers_.give_back(buffer);
    }
  }
  if ((flags & IORING_CQE_F_MORE) != 0) return;
  const bool ended_by_kernel =
      result > 0 || result == -ENOBUFS || result == -EINTR || result == -EAGAIN;
  if (!ended_by_kernel) {
    queue_.finish(channel, Kind::receive, result);
  } else if (channel.read_state == OperationState::cancelling) {
    queue_.finish(channel, Kind::receive, -ECANCELED);
  } else if (result != -ENOBUFS) {
    channel.receive_share.end_turn(result == static_cast<std::int32_t>(buffers_.size()));
    restart_later(channel, kRestartRead | (result == -EAGAIN ? kPollRead : 0));
  } else if (restart_.contains(channel)) {
    channel.engine_flags |= kRestartRead;
  } else {
    starved_.push_back(channel);
  }
}

void UringEngine::complete_connect(Channel& channel, std::int32_t result) noexcept {
  if (result >= 0) {
    ++system_calls_;
    result = take_socket_error(channel.descriptor);
  }
  queue_.finish(channel, Kind::connect, result);
}

void UringEngine::complete_send(Channel& channel, std::int32_t result) noexcept {
  PendingSend& pending = *channel.pending_send;
  const bool again = result == -EINTR || result == -EAGAIN;
  if (result < 0 && !again) {
    finish_send(channel, failed_send_result(channel, pending.sent, result));
    return;
  }
  if (result > 0) pending.advance(static_cast<std::size_t>(result));
  if (pending.left == 0) {
    finish_send(channel, static_cast<std::int32_t>(pending.sent));
  } else if (channel.write_state == OperationState::cancelling) {
    finish_send(channel, failed_send_result(channel, pending.sent, -ECANCELED));
  } else {
    restart_later(channel, kRestartWrite | (result == -EAGAIN ? kPollWrite : 0));
  }
}

void UringEngine::finish_send(Channel& channel, std::int32_t result) noexcept {
  delete std::exchange(channel.pending_send, nullptr);
  queue_.finish(channel, Kind::send, result);
}

}  // namespace soref::engine

#endif  // SOREF_HAVE_LIBURING
