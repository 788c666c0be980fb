// The floor for io_uring: a bare C++ server with one thread and one ring (SINGLE_ISSUER,
// DEFER_TASKRUN), one multishot accept, multishot receives into provided buffers, and no completion
// for what nobody waits for. It makes only the kernel calls that the service demands.
#include "floor/server.h"

#if SOREF_HAVE_LIBURING

#include "floor/ring.h"

namespace soref::bench {
namespace {

constexpr unsigned kBuffers = 1024;
constexpr size_t kBufferSize = 4096;

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
      : mode_(mode), listener_(listener), ring_(kBuffers, kBufferSize) {
    ring_.accept(listener_, name_of(Kind::accept, listener_));
    ring_.poll(termination, name_of(Kind::termination, termination));
  }

  ServerCounts run() {
    while (!terminated_) {
      ring_.turn([this](const io_uring_cqe& completion) { on_completion(completion); });
    }
    ring_.end();
    return connections_.end(listener_);
  }

 private:
  void arm_receive(int descriptor) {
    ring_.receive(descriptor, name_of(Kind::receive, descriptor));
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
    if ((cqe.flags & IORING_CQE_F_MORE) == 0) {
      ring_.accept(listener_, name_of(Kind::accept, listener_));
    }
    if (cqe.res < 0) {
      ++connections_.counts.accept_errors;
      return;
    }
    ++connections_.counts.accepted;
    connections_.open(cqe.res);
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
        ring_.give_back(buffer);
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
    ring_.send(descriptor, ring_.buffer_at(buffer), size, name_of(Kind::send, descriptor, buffer));
  }

  void on_sent(int descriptor, uint16_t buffer, int result) {
    ring_.give_back(buffer);
    // The pending receive then ends, and closes the connection.
    if (result < 0) shutdown(descriptor, SHUT_RDWR);
  }

  // Plain calls, because the ring would hand shutdown() to a worker thread. MSG_MORE holds the
  // answer back until shutdown() sends it together with the FIN.
  bool answer(int descriptor, uint32_t size) {
    Connection& connection = connections_.at(descriptor);
    connection.received += size;
    if (connection.replied || connection.received < kMessageSize) return true;
    connection.replied = true;
    static constexpr std::array<char, kMessageSize> kResponse{'r'};
    return send(descriptor, kResponse.data(), kResponse.size(), MSG_MORE | MSG_NOSIGNAL) ==
               static_cast<ssize_t>(kResponse.size()) &&
           shutdown(descriptor, SHUT_WR) == 0;
  }

  void close_connection(int descriptor, bool failed) {
    connections_.close(descriptor, failed);
    ring_.close(descriptor, name_of(Kind::close, descriptor));
  }

  const Mode mode_;
  const int listener_;
  bool terminated_ = false;
  Ring ring_;
  ConnectionTable<Connection> connections_;
};

}  // namespace
}  // namespace soref::bench

int main(int argc, char** argv) {
  using namespace soref::bench;
  return run_server<Server>("io_uring", argc, argv, kMessageModes);
}

#else

int main() {
  std::fputs("floor_uring was built without liburing, so it cannot serve\n", stderr);
  return 3;
}

#endif
