// The floor for io_uring where many bytes move: a bare C++ server with one thread and one ring that
// reads into provided buffers of 64 KB and throws away, or writes 64 KB after 64 KB, or passes on
// from one connection to another. Whatever is received, sent or passed on has one operation at a
// time for each connection and direction.
#include "floor/server.h"

#if SOREF_HAVE_LIBURING

#include <memory>
#include <utility>
#include <vector>

#include "floor/ring.h"

namespace soref::bench {
namespace {

constexpr unsigned kBuffers = 64;

// The upper half of a completion's user data; the lower half is a descriptor.
enum class Kind : uint16_t { accept, receive, send, close, termination };

uint64_t name_of(Kind kind, int descriptor) {
  return static_cast<uint64_t>(kind) << 48 | static_cast<uint32_t>(descriptor);
}

struct Connection {
  int partner = -1;  // where a pipe's bytes go
  bool open = false;
  bool ended = false;  // the peer has sent its end, or the connection failed
  bool failed = false;
  uint32_t operations = 0;           // that read from it or send what was read from it
  std::unique_ptr<char[]> buffer{};  // a pipe's bytes on their way to the partner
};

class Server {
 public:
  Server(Mode mode, int listener, int termination)
      : mode_(mode),
        listener_(listener),
        ring_(mode == Mode::bulk_to ? kBuffers : 0, kPiece),
        piece_(kPiece, 'b') {
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
  Connection& at(int descriptor) { return connections_.at(descriptor); }

  void on_completion(const io_uring_cqe& cqe) {
    const uint64_t name = io_uring_cqe_get_data64(&cqe);
    const auto descriptor = static_cast<int>(static_cast<uint32_t>(name));
    switch (static_cast<Kind>(name >> 48)) {
      case Kind::accept:
        return on_accept(cqe);
      case Kind::receive:
        return mode_ == Mode::bulk_to ? on_discarded(descriptor, cqe)
                                      : on_received(descriptor, cqe.res);
      case Kind::send:
        return on_sent(descriptor, cqe.res);
      case Kind::close:
        return die("close", -cqe.res);
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
    const int descriptor = cqe.res;
    connections_.open(descriptor);
    if (mode_ == Mode::bulk_to) {
      ring_.receive(descriptor, name_of(Kind::receive, descriptor));
    } else if (mode_ == Mode::bulk_from) {
      at(descriptor).buffer = std::make_unique<char[]>(1);
      read(descriptor, 1);  // the client's end
      send(descriptor, descriptor, piece_.data(), piece_.size());
    } else {
      pair(descriptor);
    }
  }

  // Every second connection is the partner of the one before it, and only then anything is read.
  void pair(int descriptor) {
    at(descriptor).buffer = std::make_unique<char[]>(kPiece);
    const int partner = std::exchange(unpaired_, -1);
    if (partner < 0) {
      unpaired_ = descriptor;
      return;
    }
    at(descriptor).partner = partner;
    at(partner).partner = descriptor;
    read(partner, kPiece);
    read(descriptor, kPiece);
  }

  void read(int descriptor, size_t size) {
    Connection& connection = at(descriptor);
    ++connection.operations;
    io_uring_sqe* sqe = ring_.next_submission();
    io_uring_prep_recv(sqe, descriptor, connection.buffer.get(), size, 0);
    io_uring_sqe_set_data64(sqe, name_of(Kind::receive, descriptor));
  }

  // The operation is that of `from`, whose bytes they are.
  void send(int from, int to, const char* bytes, size_t size) {
    ++at(from).operations;
    ring_.send(to, bytes, size, name_of(Kind::send, from));
  }

  // bulk-to
  void on_discarded(int descriptor, const io_uring_cqe& cqe) {
    const bool over = (cqe.flags & IORING_CQE_F_MORE) == 0;
    if (cqe.res > 0) {
      ring_.give_back(static_cast<uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT));
      connections_.counts.bytes += static_cast<uint64_t>(cqe.res);
    } else if (cqe.res != -ENOBUFS) {
      return close_connection(descriptor, cqe.res < 0);
    }
    if (over) ring_.receive(descriptor, name_of(Kind::receive, descriptor));
  }

  // bulk-from, where only the end can be received, and pipe
  void on_received(int descriptor, int result) {
    Connection& connection = at(descriptor);
    --connection.operations;
    if (result > 0 && mode_ == Mode::pipe && !connection.failed) {
      return send(descriptor, connection.partner, connection.buffer.get(),
                  static_cast<size_t>(result));
    }
    connection.ended = true;
    if (result < 0) fail(descriptor);
    if (mode_ == Mode::pipe && !connection.failed) shutdown(connection.partner, SHUT_WR);
    close_if_over(descriptor);
  }

  void on_sent(int descriptor, int result) {
    Connection& connection = at(descriptor);
    --connection.operations;
    if (result > 0) connections_.counts.bytes += static_cast<uint64_t>(result);
    if (result < 0) fail(descriptor);
    if (connection.failed) {
      connection.ended = true;
    } else if (mode_ == Mode::pipe) {
      return read(descriptor, kPiece);
    } else if (!connection.ended) {
      return send(descriptor, descriptor, piece_.data(), piece_.size());
    }
    close_if_over(descriptor);
  }

  // Operations that are pending on a broken connection, and on its partner, then end.
  void fail(int descriptor) {
    for (const int broken : {descriptor, at(descriptor).partner}) {
      if (broken < 0) continue;
      at(broken).failed = true;
      shutdown(broken, SHUT_RDWR);
    }
  }

  void close_if_over(int descriptor) {
    const int partner = at(descriptor).partner;
    if (!is_over(descriptor) || (partner >= 0 && !is_over(partner))) return;
    if (partner >= 0) close_connection(partner, at(partner).failed);
    close_connection(descriptor, at(descriptor).failed);
  }

  bool is_over(int descriptor) { return at(descriptor).ended && at(descriptor).operations == 0; }

  void close_connection(int descriptor, bool failed) {
    connections_.close(descriptor, failed);
    ring_.close(descriptor, name_of(Kind::close, descriptor));
  }

  const Mode mode_;
  const int listener_;
  bool terminated_ = false;
  int unpaired_ = -1;
  Ring ring_;
  std::vector<char> piece_;
  ConnectionTable<Connection> connections_;
};

}  // namespace
}  // namespace soref::bench

int main(int argc, char** argv) {
  using namespace soref::bench;
  return run_server<Server>("io_uring", argc, argv, kBulkModes);
}

#else

int main() {
  std::fputs("floor_bulk_uring was built without liburing, so it cannot serve\n", stderr);
  return 3;
}

#endif
