// One io_uring as the bare programs use it: SINGLE_ISSUER and DEFER_TASKRUN, buffers that are
// provided to receives, no completion for what nobody waits for. Owns the ring and the buffers.
#pragma once

#include <liburing.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "floor/process.h"

namespace soref::bench {

class Ring {
 public:
  // `buffers` is a power of two, or 0 where nothing is received into provided ones.
  Ring(unsigned buffers, size_t buffer_size)
      : buffer_size_(buffer_size), buffer_count_(buffers), memory_(buffers * buffer_size) {
    io_uring_params parameters{};
    parameters.flags =
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    parameters.cq_entries = kCompletions;
    int error = io_uring_queue_init_params(kSubmissions, &ring_, &parameters);
    if (error < 0) die("io_uring_setup", -error);
    error = io_uring_register_ring_fd(&ring_);
    if (error < 0) die("io_uring_register_ring_fd", -error);
    if (buffers > 0) provide_buffers();
  }

  // Submits, waits for a completion, and calls back for each that there is by then.
  template <typename OnCompletion>
  void turn(OnCompletion on_completion) {
    std::array<io_uring_cqe*, 256> completions;
    const int submitted = io_uring_submit_and_wait(&ring_, 1);
    if (submitted < 0 && submitted != -EINTR) die("io_uring_enter", -submitted);
    // The kernel runs deferred work some 20 completions at a time; what is left is not waited for.
    for (;;) {
      const unsigned ready =
          io_uring_peek_batch_cqe(&ring_, completions.data(), completions.size());
      if (ready == 0) return;
      for (unsigned i = 0; i < ready; ++i) on_completion(*completions[i]);
      io_uring_cq_advance(&ring_, ready);
      if (returned_ > 0) io_uring_buf_ring_advance(buffers_, returned_);
      returned_ = 0;
    }
  }

  io_uring_sqe* next_submission() {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    if (sqe != nullptr) return sqe;
    const int error = io_uring_submit(&ring_);
    if (error < 0) die("io_uring_submit", -error);
    sqe = io_uring_get_sqe(&ring_);
    if (sqe == nullptr) die("io_uring_get_sqe", EBUSY);
    return sqe;
  }

  // Makes room for so many submissions that enter the kernel together.
  void reserve(unsigned count) {
    if (io_uring_sq_space_left(&ring_) >= count) return;
    const int error = io_uring_submit(&ring_);
    if (error < 0) die("io_uring_submit", -error);
  }

  char* buffer_at(uint16_t buffer) { return memory_.data() + buffer * buffer_size_; }

  // Prepared here and published at the end of the batch.
  void give_back(uint16_t buffer) {
    io_uring_buf_ring_add(buffers_, buffer_at(buffer), static_cast<unsigned>(buffer_size_), buffer,
                          io_uring_buf_ring_mask(buffer_count_), returned_++);
  }

  void accept(int listener, uint64_t name) {
    io_uring_sqe* sqe = next_submission();
    io_uring_prep_multishot_accept(sqe, listener, nullptr, nullptr, SOCK_CLOEXEC);
    io_uring_sqe_set_data64(sqe, name);
  }

  void receive(int descriptor, uint64_t name) {
    io_uring_sqe* sqe = next_submission();
    io_uring_prep_recv_multishot(sqe, descriptor, nullptr, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = kBufferGroup;
    io_uring_sqe_set_data64(sqe, name);
  }

  // All of it leaves, unless the connection fails.
  void send(int descriptor, const char* bytes, size_t size, uint64_t name) {
    io_uring_sqe* sqe = next_submission();
    io_uring_prep_send(sqe, descriptor, bytes, size, MSG_WAITALL | MSG_NOSIGNAL);
    io_uring_sqe_set_data64(sqe, name);
  }

  void poll(int descriptor, uint64_t name) {
    io_uring_sqe* sqe = next_submission();
    io_uring_prep_poll_add(sqe, descriptor, POLLIN);
    io_uring_sqe_set_data64(sqe, name);
  }

  // A close that succeeds has no completion.
  void close(int descriptor, uint64_t name) {
    io_uring_sqe* sqe = next_submission();
    io_uring_prep_close(sqe, descriptor);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, name);
  }

  void end() {
    io_uring_submit(&ring_);
    io_uring_queue_exit(&ring_);
  }

 private:
  static constexpr unsigned kSubmissions = 4096;
  static constexpr unsigned kCompletions = 16384;
  static constexpr int kBufferGroup = 0;

  void provide_buffers() {
    void* memory = mmap(nullptr, buffer_count_ * sizeof(io_uring_buf), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) die("mmap", errno);
    buffers_ = static_cast<io_uring_buf_ring*>(memory);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<uintptr_t>(buffers_);
    registration.ring_entries = buffer_count_;
    registration.bgid = kBufferGroup;
    const int error = io_uring_register_buf_ring(&ring_, &registration, 0);
    if (error < 0) die("io_uring_register_buf_ring", -error);
    io_uring_buf_ring_init(buffers_);
    for (unsigned i = 0; i < buffer_count_; ++i) give_back(static_cast<uint16_t>(i));
    io_uring_buf_ring_advance(buffers_, returned_);
    returned_ = 0;
  }

  const size_t buffer_size_;
  const unsigned buffer_count_;
  io_uring ring_{};
  io_uring_buf_ring* buffers_ = nullptr;
  std::vector<char> memory_;  // the provided buffers
  int returned_ = 0;          // buffers prepared to go back to the kernel
};

}  // namespace soref::bench
