// The epoll engine: registers each descriptor once, edge-triggered, and serves the channels that
// are known to be ready, one step each a round, so that none starves another.
#include "engine/epoll_engine.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "engine/channel_report.h"
#include "engine/pending_send.h"
#include "engine/socket_error.h"

namespace soref::engine {
namespace {

// Channel::engine_flags of this engine.
constexpr std::uint32_t kRegistered = 1u << 0;
constexpr std::uint32_t kReadable = 1u << 1;
constexpr std::uint32_t kWritable = 1u << 2;
// The peer has ended its side, or there is an error or urgent data: no further edge may come, so a
// short read does not mean that there is nothing left to read.
constexpr std::uint32_t kReadToTheEnd = 1u << 3;
constexpr std::uint32_t kOnReady = 1u << 4;
constexpr std::uint32_t kOnStarved = 1u << 5;

// Turns of one channel in one round.
constexpr int kAcceptsPerRound = 256;
constexpr int kOtherReadsPerRound = 2;  // beside those that fill a buffer, which have their share
constexpr int kSendsPerRound = 4;

}  // namespace

std::unique_ptr<EpollEngine> EpollEngine::make(BufferPool pool, base::Ledger& ledger,
                                               std::string& reason) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) {
    reason = std::string("epoll_create1: ") + std::strerror(errno);
    return nullptr;
  }
  return std::unique_ptr<EpollEngine>(new EpollEngine(epoll, pool, ledger));
}

EpollEngine::EpollEngine(int epoll, BufferPool pool, base::Ledger& ledger)
    : Engine(ledger),
      epoll_(epoll),
      pool_(pool),
      queue_(ledger),
      ready_(kOnReady),
      starved_(kOnStarved) {
  // The lowest buffer is on top: it is used first and stays warm.
  free_buffers_.reserve(pool.count);
  for (std::uint32_t buffer = pool.count; buffer > 0; --buffer) free_buffers_.push_back(buffer - 1);
}

// --- starting

std::int32_t EpollEngine::watch(Channel& channel) noexcept {
  // A lost descriptor took its registration with it.
  if (channel.descriptor < 0) return -EBADF;
  if ((channel.engine_flags & kRegistered) != 0) return 0;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
  event.data.ptr = &channel;
  ++system_calls_;
  // Registering reports what the descriptor is ready for already, as a first edge.
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, channel.descriptor, &event) != 0) {
    // A file, which cannot be waited for: the descriptor is no socket.
    return errno == EPERM ? -ENOTSOCK : -errno;
  }
  channel.engine_flags |= kRegistered;
  return 0;
}

void EpollEngine::start_when_ready(Channel& channel, Kind kind) noexcept {
  queue_.start(channel, kind);
  const std::int32_t error = watch(channel);
  if (error != 0) {
    queue_.finish(channel, kind, error);
  } else {
    schedule(channel);
  }
}

void EpollEngine::accept(Channel& channel) noexcept { start_when_ready(channel, Kind::accept); }

void EpollEngine::receive(Channel& channel) noexcept {
  channel.receive_share.begin();
  start_when_ready(channel, Kind::receive);
}

void EpollEngine::connect(Channel& channel) noexcept {
  // A socket that was watched before it began to connect has reported that it hangs up, which would
  // pass for the end of the connect.
  SOREF_ASSERT_ABOUT((channel.engine_flags & kRegistered) == 0,
                     "connect is a channel's first operation", ChannelReport(channel));
  start_when_ready(channel, Kind::connect);
}

void EpollEngine::send(Channel& channel, std::span<const iovec> pieces) noexcept {
  queue_.start(channel, Kind::send);
  ++system_calls_;
  const FirstSend first = send_at_once(channel, pieces);
  if (first.ended) {
    queue_.finish(channel, Kind::send, first.result);
    return;
  }
  // Only EAGAIN promises an edge to come; after a short send the socket is asked again.
  if (first.result == -EAGAIN) {
    channel.engine_flags &= ~kWritable;
  } else {
    channel.engine_flags |= kWritable;
  }
  const std::int32_t error = watch(channel);
  if (error != 0) {
    finish_send(channel, failed_send_result(channel, channel.pending_send->sent, error));
  } else {
    schedule(channel);
  }
}

void EpollEngine::cancel_read(Channel& channel) noexcept {
  if (!queue_.cancel_read(channel)) return;
  queue_.finish(channel, channel.read_kind, -ECANCELED);
  starved_.remove(channel);
}

void EpollEngine::cancel_write(Channel& channel) noexcept {
  if (!queue_.cancel_write(channel)) return;
  if (channel.write_kind == Kind::connect) {
    queue_.finish(channel, Kind::connect, -ECANCELED);
  } else {
    finish_send(channel, failed_send_result(channel, channel.pending_send->sent, -ECANCELED));
  }
}

bool EpollEngine::forget(Channel& channel) noexcept {
  SOREF_ASSERT_ABOUT(channel.idle(), "a channel is forgotten when it has nothing in flight",
                     ChannelReport(channel));
  ready_.remove(channel);
  starved_.remove(channel);
  bool is_ours = true;
  if ((channel.engine_flags & kRegistered) != 0 && channel.descriptor >= 0) {
    // Closing alone would leave the registration if the descriptor has a duplicate, and its events
    // would name a channel that is gone.
    ++system_calls_;
    is_ours = ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, channel.descriptor, nullptr) == 0;
  }
  channel.engine_flags = 0;
  channel.deferred_send_error = 0;
  channel.broken_by = 0;
  return is_ours;
}

// --- running

void EpollEngine::schedule(Channel& channel) noexcept {
  const std::uint32_t flags = channel.engine_flags;
  const bool can_read = (flags & kReadable) != 0 && channel.read_state == OperationState::in_flight;
  const bool can_write =
      (flags & kWritable) != 0 && channel.write_state == OperationState::in_flight;
  // One that waits for a buffer comes back by itself, but its sends need not wait with it.
  if (!can_write && (!can_read || (flags & kOnStarved) != 0)) return;
  if ((flags & kOnReady) != 0) return;
  starved_.remove(channel);
  ready_.push_back(channel);
}

void EpollEngine::fetch(int timeout_milliseconds) noexcept {
  ++system_calls_;
  const int count = ::epoll_wait(epoll_.number(), events_.data(), static_cast<int>(events_.size()),
                                 timeout_milliseconds);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    Channel& channel = *static_cast<Channel*>(event.data.ptr);
    constexpr std::uint32_t kEnds = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    if ((event.events & (EPOLLIN | kEnds)) != 0) channel.engine_flags |= kReadable;
    if ((event.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) channel.engine_flags |= kWritable;
    if ((event.events & (EPOLLPRI | kEnds)) != 0) channel.engine_flags |= kReadToTheEnd;
    schedule(channel);
  }
}

void EpollEngine::serve() noexcept {
  for (std::size_t turns = std::min(starved_.size(), free_buffers_.size()); turns > 0; --turns) {
    ready_.push_back(starved_.pop_front());
  }
  for (std::size_t turns = ready_.size(); turns > 0; --turns) {
    Channel& channel = ready_.pop_front();
    if ((channel.engine_flags & kReadable) != 0 &&
        channel.read_state == OperationState::in_flight) {
      channel.read_kind == Kind::accept ? serve_accept(channel) : serve_receive(channel);
    }
    if ((channel.engine_flags & kWritable) != 0 &&
        channel.write_state == OperationState::in_flight) {
      channel.write_kind == Kind::connect ? serve_connect(channel) : serve_send(channel);
    }
    schedule(channel);
  }
}

void EpollEngine::serve_accept(Channel& channel) noexcept {
  for (int i = 0; i < kAcceptsPerRound; ++i) {
    ++system_calls_;
    const int accepted =
        ::accept4(channel.descriptor, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted >= 0) {
      queue_.progress(channel, Kind::accept, accepted, kNoBuffer);
      continue;
    }
    const int error = errno;
    if (error == EAGAIN) {
      channel.engine_flags &= ~kReadable;
      return;
    }
    if (!concerns_one_connection(error)) {
      // The channel stays readable, so accepting again needs no new edge.
      queue_.finish(channel, Kind::accept, -error);
      return;
    }
  }
}

void EpollEngine::serve_receive(Channel& channel) noexcept {
  const std::uint32_t share = channel.receive_share.buffers();
  std::uint32_t filled = 0;
  for (int others = 0; filled < share && others < kOtherReadsPerRound;) {
    const Read read = receive_once(channel);
    if (read == Read::last) break;
    if (read == Read::filled) {
      ++filled;
    } else {
      ++others;
    }
  }
  channel.receive_share.end_turn(filled == share);
}

EpollEngine::Read EpollEngine::receive_once(Channel& channel) noexcept {
  if (free_buffers_.empty()) {
    starved_.push_back(channel);
    return Read::last;
  }
  const std::uint32_t buffer = free_buffers_.back();
  iovec piece{pool_.base + std::size_t{buffer} * pool_.size, pool_.size};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  ++system_calls_;
  const ssize_t received = ::recvmsg(channel.descriptor, &message, MSG_DONTWAIT);
  if (received < 0) {
    const int error = errno;
    if (error == EINTR) return Read::other;
    if (error == EAGAIN) {
      channel.engine_flags &= ~kReadable;
    } else {
      queue_.finish(channel, Kind::receive, -error);
    }
    return Read::last;
  }
  if (received == 0) {
    queue_.finish(channel, Kind::receive, 0);
    return Read::last;
  }
  free_buffers_.pop_back();
  queue_.progress(channel, Kind::receive, static_cast<std::int32_t>(received), buffer);
  if (static_cast<std::size_t>(received) == pool_.size) return Read::filled;
  // A short read leaves nothing behind, and the next byte brings a new edge. Exceptions: see
  // kReadToTheEnd; and descriptors passed over a Unix socket, which end a read early.
  if ((message.msg_flags & MSG_CTRUNC) != 0 || (channel.engine_flags & kReadToTheEnd) != 0) {
    return Read::other;
  }
  channel.engine_flags &= ~kReadable;
  return Read::last;
}

void EpollEngine::serve_send(Channel& channel) noexcept {
  PendingSend& pending = *channel.pending_send;
  for (int i = 0; i < kSendsPerRound; ++i) {
    ++system_calls_;
    const std::int32_t result = send_now(channel, pending.message);
    if (result == -EAGAIN) {
      channel.engine_flags &= ~kWritable;
      return;
    }
    if (result < 0) {
      finish_send(channel, failed_send_result(channel, pending.sent, result));
      return;
    }
    pending.advance(static_cast<std::size_t>(result));
    if (pending.left == 0) {
      finish_send(channel, static_cast<std::int32_t>(pending.sent));
      return;
    }
  }
}

void EpollEngine::serve_connect(Channel& channel) noexcept {
  ++system_calls_;
  queue_.finish(channel, Kind::connect, take_socket_error(channel.descriptor));
}

void EpollEngine::finish_send(Channel& channel, std::int32_t result) noexcept {
  delete std::exchange(channel.pending_send, nullptr);
  queue_.finish(channel, Kind::send, result);
}

void EpollEngine::reap() noexcept {
  fetch(0);
  serve();
}

void EpollEngine::wait(int timeout_milliseconds) noexcept {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_milliseconds);
  reap();
  while (queue_.empty()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return;
    fetch(has_work() ? 0 : static_cast<int>(left));
    serve();
  }
}

bool EpollEngine::has_work() const noexcept {
  return !queue_.empty() || !ready_.empty() || (!starved_.empty() && !free_buffers_.empty());
}

void EpollEngine::recycle(std::uint32_t buffer) noexcept {
  SOREF_ASSERT(buffer < pool_.count && free_buffers_.size() < pool_.count,
               "a buffer comes back once, to the pool that it came from");
  SOREF_ASSERT_EXPENSIVE(
      std::find(free_buffers_.begin(), free_buffers_.end(), buffer) == free_buffers_.end(),
      "a buffer comes back once", *ledger_);
  free_buffers_.push_back(buffer);
}

}  // namespace soref::engine
