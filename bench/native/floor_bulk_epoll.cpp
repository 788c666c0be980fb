// The floor for epoll where many bytes move: a bare C++ server with one thread that reads and
// throws away, or writes 64 KB after 64 KB, or passes on from one connection to another.
// Edge-triggered; a connection that has more to do after its share of calls waits for the others'
// shares.
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "floor/epoll.h"
#include "floor/server.h"

namespace soref::bench {
namespace {

constexpr int kCallsAtATime = 8;

struct Connection {
  int partner = -1;  // where a pipe's bytes go
  bool open = false;
  bool waits_for_turn = false;
  bool ended = false;                // the peer has sent its end
  std::unique_ptr<char[]> buffer{};  // a pipe's bytes on their way to the partner
  size_t filled = 0;
  size_t passed = 0;
};

class Server {
 public:
  Server(Mode mode, int listener, int termination)
      : mode_(mode), listener_(listener), termination_(termination), piece_(kPiece, 'b') {
    epoll_.watch(listener_, EPOLLIN);
    epoll_.watch(termination_, EPOLLIN);
  }

  ServerCounts run() {
    for (;;) {
      for (const epoll_event& event : epoll_.wait(turns_.empty() ? -1 : 0)) {
        const int descriptor = event.data.fd;
        if (descriptor == termination_) return connections_.end(listener_);
        if (descriptor == listener_) {
          accept_waiting();
        } else {
          serve(descriptor);
        }
      }
      for (const int descriptor : std::exchange(turns_, {})) {
        at(descriptor).waits_for_turn = false;
        serve(descriptor);
      }
    }
  }

 private:
  Connection& at(int descriptor) { return connections_.at(descriptor); }

  void accept_waiting() {
    for (;;) {
      const int descriptor = connections_.accept_from(listener_);
      if (descriptor < 0) return;
      connections_.open(descriptor);
      if (mode_ == Mode::pipe) {
        pair(descriptor);
      } else {
        epoll_.watch(descriptor, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
      }
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
    epoll_.watch(partner, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    epoll_.watch(descriptor, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  }

  void serve(int descriptor) {
    if (!at(descriptor).open) return;
    if (mode_ == Mode::bulk_to) return discard(descriptor);
    if (mode_ == Mode::bulk_from) return supply(descriptor);
    const int partner = at(descriptor).partner;
    pass_on(descriptor);
    if (at(descriptor).open) pass_on(partner);
    if (at(descriptor).open && has_passed_all(descriptor) && has_passed_all(partner)) {
      close_connection(descriptor, false);
      close_connection(partner, false);
    }
  }

  void discard(int descriptor) {
    for (int i = 0; i < kCallsAtATime; ++i) {
      const ssize_t size = recv(descriptor, piece_.data(), piece_.size(), 0);
      if (size < 0 && errno == EAGAIN) return;
      if (size <= 0) return close_connection(descriptor, size < 0);
      connections_.counts.bytes += static_cast<uint64_t>(size);
    }
    wait_for_turn(descriptor);
  }

  // The client sends nothing but its end.
  void supply(int descriptor) {
    char unexpected = 0;
    const ssize_t size = recv(descriptor, &unexpected, 1, 0);
    if (size == 0 || (size < 0 && errno != EAGAIN)) return close_connection(descriptor, size < 0);
    for (int i = 0; i < kCallsAtATime; ++i) {
      const ssize_t sent = send(descriptor, piece_.data(), piece_.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) return;
      if (sent < 0) return close_connection(descriptor, true);
      connections_.counts.bytes += static_cast<uint64_t>(sent);
    }
    wait_for_turn(descriptor);
  }

  void pass_on(int descriptor) {
    Connection& from = at(descriptor);
    for (int i = 0; i < kCallsAtATime; ++i) {
      if (from.passed < from.filled) {
        const ssize_t sent = send(from.partner, from.buffer.get() + from.passed,
                                  from.filled - from.passed, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) return;
        if (sent < 0) return close_pair(descriptor);
        from.passed += static_cast<size_t>(sent);
        connections_.counts.bytes += static_cast<uint64_t>(sent);
        continue;
      }
      if (from.ended) return;
      const ssize_t size = recv(descriptor, from.buffer.get(), kPiece, 0);
      if (size < 0 && errno == EAGAIN) return;
      if (size < 0) return close_pair(descriptor);
      from.filled = static_cast<size_t>(size);
      from.passed = 0;
      if (size > 0) continue;
      from.ended = true;
      if (shutdown(from.partner, SHUT_WR) < 0) close_pair(descriptor);
      return;
    }
    wait_for_turn(descriptor);
  }

  bool has_passed_all(int descriptor) {
    return at(descriptor).ended && at(descriptor).passed == at(descriptor).filled;
  }

  void wait_for_turn(int descriptor) {
    if (std::exchange(at(descriptor).waits_for_turn, true)) return;
    turns_.push_back(descriptor);
  }

  void close_pair(int descriptor) {
    close_connection(at(descriptor).partner, true);
    close_connection(descriptor, true);
  }

  void close_connection(int descriptor, bool failed) {
    connections_.close(descriptor, failed);
    close(descriptor);
  }

  const Mode mode_;
  const int listener_;
  const int termination_;
  Epoll epoll_;
  int unpaired_ = -1;
  std::vector<char> piece_;
  ConnectionTable<Connection> connections_;
  std::deque<int> turns_;  // that have more to do at once
};

}  // namespace
}  // namespace soref::bench

int main(int argc, char** argv) {
  using namespace soref::bench;
  return run_server<Server>("epoll", argc, argv, kBulkModes);
}
