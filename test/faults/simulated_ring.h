// One io_uring(7) instance of the simulated kernel, for the real io_uring engine: it takes entries
// from the submission ring, works on them inside, and posts completions, as its choices will. Its
// rings are small, so that they are full often; completions overflow, and wait for a visit. What it
// may do is what kernels do: see io_uring_enter(2), io_uring_setup(2), io_uring_register(2).
#pragma once

#if SOREF_HAVE_LIBURING

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "choices.h"
#include "simulated_engine.h"
#include "simulated_kernel.h"
#include "vain_waits.h"

namespace soref::faults {

class SimulatedRing {
 public:
  SimulatedRing(SimulatedKernel& kernel, Choices& choices, const Behaviour& behaviour);
  ~SimulatedRing();
  SimulatedRing(const SimulatedRing&) = delete;
  SimulatedRing& operator=(const SimulatedRing&) = delete;

  // --- what liburing's functions ask for: a negative errno where they fail
  int open(io_uring& ring);
  void register_eventfd(int descriptor) noexcept { eventfd_ = descriptor; }
  void register_buffers(const io_uring_buf_reg& registration) noexcept;
  // Takes entries, works, and posts completions; the number of entries taken.
  int enter(io_uring& ring);
  // As enter(), but waits for a completion, for so long in virtual time.
  int wait(io_uring& ring, std::uint64_t milliseconds);

  // --- the eventfd and the ring's own descriptor
  [[nodiscard]] bool is_eventfd(int descriptor) const noexcept { return descriptor == eventfd_; }
  void read_eventfd() noexcept { signalled_ = false; }

  // --- for the test's loop
  [[nodiscard]] bool wakes() const;
  [[nodiscard]] std::uint64_t next_due() const noexcept;
  [[nodiscard]] bool has_all_buffers() const noexcept { return buffers() == buffer_count_; }

 private:
  // An entry that the kernel has taken and not completed.
  struct Request {
    io_uring_sqe entry;
    Endpoint* endpoint;
    bool cancelled = false;
    int error = 0;  // it completes with that
    std::uint32_t received = 0;
    std::uint64_t due = 0;
    bool done = false;
  };

  void take(const io_uring_sqe& entry);
  void cancel(const io_uring_sqe& entry);
  // Works on what is ready, in any order.
  void work();
  [[nodiscard]] bool can_run(const Request& request) const;
  // Whether it could run if nobody had cancelled it.
  [[nodiscard]] bool can_go_on(const Request& request) const;
  [[nodiscard]] bool is_ready(const Request& request) const;
  // Posts a completion; without IORING_CQE_F_MORE it is the request's last.
  void post(Request& request, int result, unsigned flags = 0);
  void flush_overflow();
  // Something may have become ready: tells the ring's owner.
  void notice();
  [[nodiscard]] std::uint32_t buffers() const noexcept;

  // simulated_requests.cpp: one step of a request
  void run(Request& request);
  void run_accept(Request& request);
  void run_receive(Request& request);
  void run_send(Request& request);
  void run_poll(Request& request);

  SimulatedKernel* kernel_;
  Choices* choices_;
  Behaviour behaviour_;
  std::vector<Request> requests_;
  std::deque<io_uring_cqe> overflow_;

  // The memory of both rings.
  std::vector<io_uring_sqe> entries_;
  std::vector<io_uring_cqe> completions_;
  unsigned submission_head_ = 0;
  unsigned submission_tail_ = 0;
  unsigned submission_flags_ = 0;
  unsigned completion_head_ = 0;
  unsigned completion_tail_ = 0;
  unsigned completion_flags_ = 0;

  io_uring_buf_ring* buffer_ring_ = nullptr;
  std::uint32_t buffer_count_ = 0;
  std::uint16_t buffer_head_ = 0;
  int eventfd_ = -1;
  bool signalled_ = false;
  VainWaits vain_waits_;
};

}  // namespace soref::faults

#endif  // SOREF_HAVE_LIBURING
