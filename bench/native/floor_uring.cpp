// The floor for io_uring: a bare C++ server with one thread and one ring (SINGLE_ISSUER,
// DEFER_TASKRUN), one multishot accept, multishot receives into provided buffers, and no completion
// for what nobody waits for. It makes only the kernel calls that the service demands.
#include "floor/server.h"

#if SOREF_HAVE_LIBURING

#include <liburing.h>
#include <poll.h>
#include <sys/mman.h>

#include <vector>

namespace soref::bench {
namespace {

constexpr unsigned kSubmissions = 4096;
constexpr unsigned kCompletions = 16384;
constexpr unsigned kBuffers = 1024;  // a power of two
constexpr size_t kBufferSize = 4096;
constexpr int kBufferGroup = 0;

// What a completion is about: the upper half of its user data. The lower half is a descriptor,
// and for a send also the buffer that is given back when the kernel has taken the bytes.
enum class Kind : uint16_t { accept, receive, send, close, termination };

uint64_t name_of(Kind kind, int descriptor, uint16_t buffer = 0) {
  return static_cast<uint64_t>(kind) << 48 | static_cast<uint64_t>(buffer) << 32 |
         static_cast<uint32_t>(descriptor);
}

struct Connection {
  bool open = false;
  bool replied = false;
  uint32_t received = 0;
};

class Server {
 public:
  Server(Mode mode, int listener, int termination)
      : mode_(mode),
        listener_(listener),
        termination_(termination),
        memory_(kBuffers * kBufferSize) {
    io_uring_params parameters{};
    parameters.flags =
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    parameters.cq_entries = kCompletions;
    int error = io_uring_queue_init_params(kSubmissions, &ring_, &parameters);
    if (error < 0) die("io_uring_setup", -error);
    error = io_uring_register_ring_fd(&ring_);
    if (error < 0) die("io_uring_register_ring_fd", -error);
    provide_buffers();
    arm_accept();
    io_uring_sqe* sqe = next_submission();
    io_uring_prep_poll_add(sqe, termination_, POLLIN);
    io_uring_sqe_set_data64(sqe, name_of(Kind::termination, termination_));
  }

  ServerCounts run() {
    std::array<io_uring_cqe*, 256> completions;
    while (!terminated_) {
      const int submitted = io_uring_submit_and_wait(&ring_, 1);
      if (submitted < 0 && submitted != -EINTR) die("io_uring_enter", -submitted);
      // The kernel runs deferred work some 20 completions at a time; what is left is not waited
      // for.
      for (;;) {
        const unsigned ready =
            io_uring_peek_batch_cqe(&ring_, completions.data(), completions.size());
        if (ready == 0) break;
        for (unsigned i = 0; i < ready; ++i) on_completion(*completions[i]);
        io_uring_cq_advance(&ring_, ready);
        io_uring_buf_ring_advance(buffers_, returned_);
        returned_ = 0;
      }
    }
    return end();
  }

 private:
  void provide_buffers() {
    void* memory = mmap(nullptr, kBuffers * sizeof(io_uring_buf), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) die("mmap", errno);
    buffers_ = static_cast<io_uring_buf_ring*>(memory);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<uintptr_t>(buffers_);
    registration.ring_entries = kBuffers;
    registration.bgid = kBufferGroup;
    const int error = io_uring_register_buf_ring(&ring_, &registration, 0);
    if (error < 0) die("io_uring_register_buf_ring", -error);
    io_uring_buf_ring_init(buffers_);
    for (unsigned i = 0; i < kBuffers; ++i) give_back(static_cast<uint16_t>(i));
    io_uring_buf_ring_advance(buffers_, returned_);
    returned_ = 0;
  }

  char* buffer_at(uint16_t buffer) { return memory_.data() + buffer * kBufferSize; }

  // Prepared here and published with the next io_uring_buf_ring_advance.
  void give_back(uint16_t buffer) {
    io_uring_buf_ring_add(buffers_, buffer_at(buffer), unsigned{kBufferSize}, buffer,
                          io_uring_buf_ring_mask(kBuffers), returned_++);
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

  void arm_accept() {
    io_uring_sqe* sqe = next_submission();
    io_uring_prep_multishot_accept(sqe, listener_, nullptr, nullptr, SOCK_CLOEXEC);
    io_uring_sqe_set_data64(sqe, name_of(Kind::accept, listener_));
  }

  void arm_receive(int descriptor) {
    io_uring_sqe* sqe = next_submission();
    io_uring_prep_recv_multishot(sqe, descriptor, nullptr, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = kBufferGroup;
    io_uring_sqe_set_data64(sqe, name_of(Kind::receive, descriptor));
  }

  void on_completion(const io_uring_cqe& cqe) {
    const uint64_t name = io_uring_cqe_get_data64(&cqe);
    const auto descriptor = static_cast<int>(static_cast<uint32_t>(name));
    switch (static_cast<Kind>(name >> 48)) {
      case Kind::accept:
        return on_accept(cqe);
      case Kind::receive:
        return on_receive(descriptor, cqe);
      case Kind::send:
        return on_sent(descriptor, static_cast<uint16_t>(name >> 32), cqe.res);
      case Kind::close:
        return die("close", -cqe.res);  // a close that succeeds has no completion
      case Kind::termination:
        terminated_ = true;
        return;
    }
  }

  void on_accept(const io_uring_cqe& cqe) {
    if ((cqe.flags & IORING_CQE_F_MORE) == 0) arm_accept();
    if (cqe.res < 0) {
      ++counts_.accept_errors;
      return;
    }
    ++counts_.accepted;
    const auto index = static_cast<size_t>(cqe.res);
    if (index >= connections_.size()) connections_.resize(index * 2 + 64);
    connections_[index] = Connection{.open = true};
    if (mode_ == Mode::accept_close) return close_connection(cqe.res, false);
    arm_receive(cqe.res);
  }

  void on_receive(int descriptor, const io_uring_cqe& cqe) {
    const bool over = (cqe.flags & IORING_CQE_F_MORE) == 0;
    if (cqe.res > 0) {
      const auto buffer = static_cast<uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
      const auto size = static_cast<uint32_t>(cqe.res);
      if (mode_ == Mode::echo) {
        send_back(descriptor, buffer, size);
      } else {
        give_back(buffer);
        if (mode_ == Mode::request_response && !answer(descriptor, size)) {
          shutdown(descriptor, SHUT_RDWR);  // the pending receive then ends, and closes
        }
      }
      if (over) arm_receive(descriptor);
    } else if (cqe.res == -ENOBUFS) {
      arm_receive(descriptor);
    } else {
      close_connection(descriptor, cqe.res < 0);
    }
  }

  // The buffer goes back to the kernel when it has been sent, in on_sent().
  void send_back(int descriptor, uint16_t buffer, uint32_t size) {
    io_uring_sqe* sqe = next_submission();
    io_uring_prep_send(sqe, descriptor, buffer_at(buffer), size, MSG_WAITALL | MSG_NOSIGNAL);
    io_uring_sqe_set_data64(sqe, name_of(Kind::send, descriptor, buffer));
  }

  void on_sent(int descriptor, uint16_t buffer, int result) {
    give_back(buffer);
    // The pending receive then ends, and closes the connection.
    if (result < 0) shutdown(descriptor, SHUT_RDWR);
  }

  // Plain calls, because the ring would hand shutdown() to a worker thread. MSG_MORE holds the
  // answer back until shutdown() sends it together with the FIN.
  bool answer(int descriptor, uint32_t size) {
    Connection& connection = connections_[static_cast<size_t>(descriptor)];
    connection.received += size;
    if (connection.replied || connection.received < kMessageSize) return true;
    connection.replied = true;
    static constexpr std::array<char, kMessageSize> kResponse{'r'};
    return send(descriptor, kResponse.data(), kResponse.size(), MSG_MORE | MSG_NOSIGNAL) ==
               static_cast<ssize_t>(kResponse.size()) &&
           shutdown(descriptor, SHUT_WR) == 0;
  }

  void close_connection(int descriptor, bool failed) {
    connections_[static_cast<size_t>(descriptor)].open = false;
    ++counts_.closed;
    if (failed) ++counts_.failed;
    io_uring_sqe* sqe = next_submission();
    io_uring_prep_close(sqe, descriptor);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, name_of(Kind::close, descriptor));
  }

  ServerCounts end() {
    io_uring_submit(&ring_);
    io_uring_queue_exit(&ring_);
    close(listener_);
    for (size_t i = 0; i < connections_.size(); ++i) {
      if (!connections_[i].open) continue;
      close(static_cast<int>(i));
      ++counts_.closed;
    }
    return counts_;
  }

  const Mode mode_;
  const int listener_;
  const int termination_;
  bool terminated_ = false;
  io_uring ring_{};
  io_uring_buf_ring* buffers_ = nullptr;
  std::vector<char> memory_;  // the provided buffers
  int returned_ = 0;          // buffers prepared to go back to the kernel
  std::vector<Connection> connections_;
  ServerCounts counts_;
};

}  // namespace
}  // namespace soref::bench

int main(int argc, char** argv) {
  using namespace soref::bench;
  const ServerOptions options = parse_server_options(argc, argv);
  raise_descriptor_limit();
  const int termination = open_termination_signal();
  Server server(options.mode, listen_and_announce(options), termination);
  return print_server_report("io_uring", server.run());
}

#else

int main() {
  std::fputs("floor_uring was built without liburing, so it cannot serve\n", stderr);
  return 3;
}

#endif
