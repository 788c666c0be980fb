// Sets the ring up in one of its modes, and arms and disarms its wake-up.
#include "engine/uring_ring.h"

#if SOREF_HAVE_LIBURING

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>

namespace soref::engine {
namespace {

// Deferred: completions are prepared only when this thread asks, so they never interrupt it; the
// ring's own descriptor then does not wake an epoll instance on every kernel, an eventfd does.
// Cooperative: for Linux 5.19, and for whatever does not wake in the first mode. Limited receives
// are of Linux 6.17.
constexpr unsigned kDeferred = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
                               IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
constexpr unsigned kCooperative =
    IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
constexpr std::array<RingMode, 3> kModes{{
    {"deferred, limited receives", kDeferred, true, true},
    {"deferred", kDeferred, true, false},
    {"cooperative", kCooperative, false, false},
}};

// Disarming needs that the kernel reads the flag after it has announced new work. On x86 its atomic
// operation orders the two; elsewhere the eventfd stays armed, which costs a wake-up now and then.
#if defined(__x86_64__)
constexpr bool kCanDisarm = true;
#else
constexpr bool kCanDisarm = false;
#endif

}  // namespace

std::span<const RingMode> ring_modes() noexcept { return kModes; }

Ring::~Ring() {
  if (open_) io_uring_queue_exit(&ring_);
}

int Ring::open(const RingMode& mode, unsigned entries, unsigned completion_entries) noexcept {
  io_uring_params parameters{};
  parameters.flags = mode.setup_flags | IORING_SETUP_CQSIZE;
  parameters.cq_entries = completion_entries;
  const int error = io_uring_queue_init_params(entries, &ring_, &parameters);
  if (error != 0) return error;
  open_ = true;
  if (!mode.eventfd) return 0;
  eventfd_.emplace(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (eventfd_->number() < 0) return -errno;
  return io_uring_register_eventfd(&ring_, eventfd_->number());
}

int Ring::wakeup_descriptor() const noexcept {
  return eventfd_ ? eventfd_->number() : ring_.ring_fd;
}

bool Ring::acknowledge_wakeup() noexcept {
  if (!eventfd_) return false;
  std::uint64_t count = 0;
  // There may be nothing to read: then the descriptor is quiet, which is what is asked for.
  static_cast<void>(::read(eventfd_->number(), &count, sizeof count) < 0);
  return true;
}

void Ring::arm_wakeup() noexcept {
  if (!kCanDisarm || !eventfd_) return;
  io_uring_cq_eventfd_toggle(&ring_, true);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void Ring::disarm_wakeup() noexcept {
  if (kCanDisarm && eventfd_) io_uring_cq_eventfd_toggle(&ring_, false);
}

bool Ring::has_more() const noexcept {
  const unsigned flags = std::atomic_ref(*ring_.sq.kflags).load(std::memory_order_acquire);
  return (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

}  // namespace soref::engine

#endif  // SOREF_HAVE_LIBURING
