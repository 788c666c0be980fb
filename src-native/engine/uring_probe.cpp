// Finds out by experiment whether this kernel lets us use io_uring, and in which mode.
#include "engine/uring_probe.h"

#if SOREF_HAVE_LIBURING

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>

#include "engine/own_descriptor.h"
#include "engine/uring_buffers.h"

namespace soref::engine {
namespace {

constexpr int kWakeupLimitMilliseconds = 50;
constexpr long kTimerNanoseconds = 20'000;
constexpr std::uint64_t kReceive = 1;
constexpr std::uint64_t kTimer = 2;

// Completions must not be lost when their ring is full, and waiting needs a time limit of its own.
// Polling instead of blocking worker threads is what makes waiting cheap.
constexpr unsigned kNeededFeatures = IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE |
                                     IORING_FEAT_FAST_POLL | IORING_FEAT_EXT_ARG |
                                     IORING_FEAT_CQE_SKIP;

// Blocks as the event loop does, in an epoll instance that watches the wake-up descriptor.
bool wakes(int epoll) noexcept {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(kWakeupLimitMilliseconds);
  do {
    epoll_event event{};
    if (::epoll_wait(epoll, &event, 1, kWakeupLimitMilliseconds) == 1) return true;
  } while (Clock::now() < deadline);
  return false;
}

struct Seen {
  int result = 0;
  unsigned flags = 0;
  bool any = false;
};

// The next completion of `wanted`, without blocking.
Seen collect(Ring& ring, std::uint64_t wanted) noexcept {
  Seen seen;
  io_uring_get_events(ring.get());
  io_uring_cqe* completion = nullptr;
  while (io_uring_peek_cqe(ring.get(), &completion) == 0) {
    if (completion->user_data == wanted) seen = {completion->res, completion->flags, true};
    io_uring_cqe_seen(ring.get(), completion);
  }
  return seen;
}

// A timer that fires while this thread is blocked wakes it up.
std::string try_wakeup(Ring& ring, int epoll) {
  __kernel_timespec delay{};
  delay.tv_nsec = kTimerNanoseconds;
  io_uring_sqe* entry = io_uring_get_sqe(ring.get());
  io_uring_prep_timeout(entry, &delay, 0, 0);
  entry->user_data = kTimer;
  ring.arm_wakeup();
  const int submitted = io_uring_submit(ring.get());
  if (submitted < 0) return std::string("io_uring_enter: ") + std::strerror(-submitted);
  if (!wakes(epoll)) return "a completion does not wake the event loop";
  ring.acknowledge_wakeup();
  if (collect(ring, kTimer).result != -ETIME) return "a wake-up brings no completion";
  return {};
}

// A receive into a provided buffer. One that is limited to a byte ends with it, where limits are
// known. Provided buffers are as old as multishot accept, which therefore needs no trial.
std::string try_receive(Ring& ring, bool limited, int epoll) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return std::string("socketpair: ") + std::strerror(errno);
  }
  const OwnDescriptor near(pair[0]);
  const OwnDescriptor far(pair[1]);
  io_uring_sqe* entry = io_uring_get_sqe(ring.get());
  UringBuffers::prepare_receive(*entry, near.number(), limited ? 1 : 0);
  entry->user_data = kReceive;
  const int submitted = io_uring_submit(ring.get());
  if (submitted < 0) return std::string("io_uring_enter: ") + std::strerror(-submitted);
  if (::send(far.number(), "x", 1, MSG_NOSIGNAL) != 1 || !wakes(epoll)) {
    return "data does not wake the event loop";
  }
  ring.acknowledge_wakeup();
  const Seen seen = collect(ring, kReceive);
  constexpr unsigned kFlags = IORING_CQE_F_BUFFER | IORING_CQE_F_MORE;
  if (seen.result != 1 || (seen.flags & kFlags) != IORING_CQE_F_BUFFER) {
    return limited ? "this kernel cannot limit a receive (Linux 6.17 can)"
                   : "this kernel cannot receive into provided buffers (Linux 5.19 can)";
  }
  return {};
}

}  // namespace

std::string explain_refusal(int error) {
  switch (error) {
    case EPERM:
    case EACCES:
      return "io_uring is not permitted here (seccomp, or the sysctl kernel.io_uring_disabled)";
    case ENOSYS:
      return "this kernel has no io_uring";
    case ENOMEM:
      return "io_uring may not have the memory that it needs (ulimit -l)";
    case EINVAL:
      return "this kernel's io_uring is too old (Linux 5.19 is needed)";
    default:
      return std::string("io_uring_setup: ") + std::strerror(error);
  }
}

ProbeResult try_ring_mode(const RingMode& mode) {
  std::array<std::byte, 128> memory{};
  UringBuffers buffers({memory.data(), 64, 2});
  Ring ring;
  int error = ring.open(mode, 8, 16);
  if (error != 0) return {nullptr, -error, explain_refusal(-error)};
  if ((ring.features() & kNeededFeatures) != kNeededFeatures) {
    return {nullptr, 0, explain_refusal(EINVAL)};
  }
  error = buffers.provide(ring.get());
  if (error != 0) return {nullptr, 0, explain_refusal(-error)};

  const OwnDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{};
  event.events = EPOLLIN;
  if (epoll.number() < 0 ||
      ::epoll_ctl(epoll.number(), EPOLL_CTL_ADD, ring.wakeup_descriptor(), &event) != 0) {
    return {nullptr, 0, std::string("epoll: ") + std::strerror(errno)};
  }
  std::string failure = try_wakeup(ring, epoll.number());
  if (failure.empty()) failure = try_receive(ring, mode.limited_receives, epoll.number());
  if (!failure.empty()) return {nullptr, 0, failure};
  return {&mode, 0, {}};
}

ProbeResult probe_io_uring() {
  ProbeResult result;
  for (const RingMode& mode : ring_modes()) {
    result = try_ring_mode(mode);
    if (result.mode != nullptr) break;
  }
  return result;
}

}  // namespace soref::engine

#endif  // SOREF_HAVE_LIBURING
