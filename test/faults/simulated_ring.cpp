// Submissions, completions and wake-ups of the simulated ring; what requests do is in
// simulated_requests.cpp.
#if SOREF_HAVE_LIBURING

#include "simulated_ring.h"

#include <algorithm>
#include <bit>
#include <cerrno>

#include "base/assert.h"

namespace soref::faults {

SimulatedRing::SimulatedRing(SimulatedKernel& kernel, Choices& choices, const Behaviour& behaviour)
    : kernel_(&kernel), choices_(&choices), behaviour_(behaviour) {}

SimulatedRing::~SimulatedRing() {
  kernel_->observe({});
  SOREF_ASSERT(requests_.empty(), "no request outlives its ring");
}

int SimulatedRing::open(io_uring& ring) {
  entries_.resize(std::bit_ceil(behaviour_.submission_entries));
  completions_.resize(std::bit_ceil(behaviour_.completion_entries));
  ring = {};
  ring.sq.khead = &submission_head_;
  ring.sq.ktail = &submission_tail_;
  ring.sq.kflags = &submission_flags_;
  ring.sq.sqes = entries_.data();
  ring.sq.ring_entries = static_cast<unsigned>(entries_.size());
  ring.sq.ring_mask = ring.sq.ring_entries - 1;
  ring.cq.khead = &completion_head_;
  ring.cq.ktail = &completion_tail_;
  ring.cq.kflags = &completion_flags_;
  ring.cq.cqes = completions_.data();
  ring.cq.ring_entries = static_cast<unsigned>(completions_.size());
  ring.cq.ring_mask = ring.cq.ring_entries - 1;
  ring.features = ~0U;
  ring.ring_fd = ring.enter_ring_fd = kernel_->open_own();
  kernel_->observe([this](const Endpoint*) { notice(); });
  return 0;
}

void SimulatedRing::register_buffers(const io_uring_buf_reg& registration) noexcept {
  // A registration carries the address as a number.
  buffer_ring_ = reinterpret_cast<io_uring_buf_ring*>(registration.ring_addr);
  buffer_count_ = registration.ring_entries;
}

std::uint32_t SimulatedRing::buffers() const noexcept {
  return static_cast<std::uint16_t>(buffer_ring_->tail - buffer_head_);
}

// --- submissions

int SimulatedRing::enter(io_uring& ring) {
  // Where a visit fails nothing is taken, but what is inside may complete all the same.
  int taken = kernel_->faults().at(Call::await);
  while (taken >= 0 && ring.sq.sqe_head != ring.sq.sqe_tail) {
    // Memory may be short, and some kernels take nothing while completions overflow.
    if (choices_->one_in(behaviour_.takes_part)) break;
    if (!overflow_.empty() && choices_->one_in(2)) break;
    take(entries_[ring.sq.sqe_head++ & ring.sq.ring_mask]);
    ++taken;
  }
  submission_head_ = ring.sq.sqe_head;
  submission_tail_ = ring.sq.sqe_tail;
  flush_overflow();
  work();
  return taken;
}

void SimulatedRing::take(const io_uring_sqe& entry) {
  if (entry.opcode == IORING_OP_ASYNC_CANCEL) return cancel(entry);
  Endpoint* endpoint = kernel_->find(entry.fd);
  SOREF_ASSERT(endpoint != nullptr, "an operation is on an open descriptor");
  Request request{.entry = entry, .endpoint = endpoint};
  switch (entry.opcode) {
    case IORING_OP_ACCEPT:
      request.error = kernel_->fault(Call::accept_operation, *endpoint);
      break;
    case IORING_OP_RECV:
      request.error = kernel_->fault(Call::receive_operation, *endpoint);
      // Without a buffer it does not even wait.
      if (buffers() == 0) request.error = -ENOBUFS;
      break;
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
      request.error = kernel_->fault(Call::send_operation, *endpoint);
      break;
    case IORING_OP_POLL_ADD:
      request.error = kernel_->fault(Call::connect_operation, *endpoint);
      break;
    default:
      SOREF_ASSERT(false, "the simulated ring knows every operation that the engine uses");
  }
  // Where somebody else, who shares the open file, has made it non-blocking, some kernels do not
  // wait.
  if (entry.opcode != IORING_OP_POLL_ADD && !can_run(request) &&
      choices_->one_in(behaviour_.would_block)) {
    request.error = -EAGAIN;
  }
  request.due = kernel_->now() + choices_->below(behaviour_.latency + 1);
  ++endpoint->operations;
  requests_.push_back(request);
}

void SimulatedRing::cancel(const io_uring_sqe& entry) {
  const auto found = std::find_if(requests_.begin(), requests_.end(), [&](const Request& other) {
    return other.entry.user_data == entry.addr;
  });
  const bool there = found != requests_.end();
  if (there) {
    found->cancelled = true;
    // It takes no more time: who waits for it asks in every turn, and never lets time pass.
    found->due = kernel_->now();
  }
  if (there && (entry.flags & IOSQE_CQE_SKIP_SUCCESS) != 0) return;
  overflow_.push_back({.user_data = entry.user_data, .res = there ? 0 : -ENOENT, .flags = 0});
  flush_overflow();
}

// --- completions

void SimulatedRing::work() {
  for (;;) {
    std::vector<std::size_t> ready;
    for (std::size_t index = 0; index < requests_.size(); ++index) {
      if (is_ready(requests_[index])) ready.push_back(index);
    }
    if (ready.empty() || choices_->one_in(behaviour_.holds_back)) break;
    run(requests_[ready[choices_->below(static_cast<std::uint32_t>(ready.size()))]]);
    std::erase_if(requests_, [](const Request& request) { return request.done; });
  }
  // What waits for room has tried, and is told when there is some.
  for (const Request& request : requests_) {
    const auto operation = request.entry.opcode;
    const bool reads = operation == IORING_OP_ACCEPT || operation == IORING_OP_RECV;
    if (!reads && !can_run(request)) request.endpoint->short_of_room = true;
  }
  submission_flags_ &= ~static_cast<unsigned>(IORING_SQ_TASKRUN);
  notice();
}

void SimulatedRing::post(Request& request, int result, unsigned flags) {
  overflow_.push_back({.user_data = request.entry.user_data, .res = result, .flags = flags});
  flush_overflow();
  if ((flags & IORING_CQE_F_MORE) != 0) return;
  request.done = true;
  --request.endpoint->operations;
}

// Completions go through the ring in order; what finds no room waits for a visit.
void SimulatedRing::flush_overflow() {
  const auto size = static_cast<unsigned>(completions_.size());
  while (!overflow_.empty() && completion_tail_ - completion_head_ < size) {
    completions_[completion_tail_++ & (size - 1)] = overflow_.front();
    overflow_.pop_front();
  }
  if (overflow_.empty()) {
    submission_flags_ &= ~static_cast<unsigned>(IORING_SQ_CQ_OVERFLOW);
  } else {
    submission_flags_ |= IORING_SQ_CQ_OVERFLOW;
  }
}

// --- wake-ups

void SimulatedRing::notice() {
  const bool pending = std::any_of(requests_.begin(), requests_.end(),
                                   [this](const Request& request) { return is_ready(request); });
  if (pending) submission_flags_ |= IORING_SQ_TASKRUN;
  const bool armed = (completion_flags_ & IORING_CQ_EVENTFD_DISABLED) == 0;
  if (armed && (pending || completion_tail_ != completion_head_)) signalled_ = true;
}

bool SimulatedRing::wakes() const {
  // The ring's own descriptor is readable while there is something; an eventfd, once it was told.
  if (eventfd_ >= 0) return signalled_;
  return completion_tail_ != completion_head_ || submission_flags_ != 0;
}

std::uint64_t SimulatedRing::next_due() const noexcept {
  std::uint64_t earliest = 0;
  for (const Request& request : requests_) {
    if (request.due <= kernel_->now() || !can_run(request)) continue;
    if (earliest == 0 || request.due < earliest) earliest = request.due;
  }
  return earliest;
}

int SimulatedRing::wait(io_uring& ring, std::uint64_t milliseconds) {
  enter(ring);
  const std::uint64_t deadline = kernel_->now() + milliseconds;
  while (completion_head_ == completion_tail_) {
    const std::uint64_t due = next_due();
    if (due == 0 || due > deadline) {
      kernel_->advance(deadline - kernel_->now());
      vain_waits_.ended(true);
      return -ETIME;
    }
    kernel_->advance(due - kernel_->now());
    work();
  }
  vain_waits_.ended(false);
  return 0;
}

}  // namespace soref::faults

#endif  // SOREF_HAVE_LIBURING
