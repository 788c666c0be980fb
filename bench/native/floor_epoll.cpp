// The floor for epoll: a bare C++ server with one thread, one edge-triggered epoll descriptor,
// accepting until the queue is empty. It makes only the system calls that the service demands.
#include "floor/epoll.h"
#include "floor/server.h"

namespace soref::bench {
namespace {

// One accepted connection, found by its descriptor.
struct Connection {
  bool open = false;
  bool watched = false;
  bool replied = false;
  uint32_t received = 0;
};

class Server {
 public:
  Server(Mode mode, int listener, int termination)
      : mode_(mode), listener_(listener), termination_(termination) {
    // Level-triggered: what one turn leaves in the queue is not lost.
    epoll_.watch(listener_, EPOLLIN);
    epoll_.watch(termination_, EPOLLIN);
  }

  ServerCounts run() {
    for (;;) {
      for (const epoll_event& event : epoll_.wait(-1)) {
        const int descriptor = event.data.fd;
        if (descriptor == termination_) return connections_.end(listener_);
        if (descriptor == listener_) {
          accept_waiting();
        } else {
          receive(descriptor, event.events);
        }
      }
    }
  }

 private:
  void accept_waiting() {
    for (int i = 0; i < 512; ++i) {
      const int descriptor = connections_.accept_from(listener_);
      if (descriptor < 0) return;
      if (mode_ == Mode::accept_close) {
        close(descriptor);
        ++connections_.counts.closed;
        continue;
      }
      connections_.open(descriptor);
      receive(descriptor, 0);  // the request is mostly there already
    }
  }

  // Reads until nothing is left; then epoll watches, from the first time that this happens.
  void receive(int descriptor, uint32_t events) {
    Connection& connection = connections_.at(descriptor);
    std::array<char, 4096> buffer;
    for (;;) {
      const ssize_t size = recv(descriptor, buffer.data(), buffer.size(), 0);
      if (size < 0 && errno == EAGAIN) break;
      if (size <= 0) return close_connection(descriptor, size < 0);
      if (mode_ == Mode::hold) continue;
      if (mode_ == Mode::echo) {
        if (!send_all(descriptor, buffer.data(), static_cast<size_t>(size), 0)) return;
      } else if (!answer(descriptor, static_cast<uint32_t>(size))) {
        return;
      }
      // Fewer bytes than asked for: the queue is empty, and what comes later is a new edge. But
      // this edge may have told of the end too.
      if ((events & EPOLLRDHUP) == 0) break;
    }
    if (connection.watched) return;
    connection.watched = true;
    epoll_.watch(descriptor, EPOLLIN | EPOLLRDHUP | EPOLLET);
  }

  // MSG_MORE holds the answer back until shutdown() sends it together with the FIN.
  bool answer(int descriptor, uint32_t size) {
    Connection& connection = connections_.at(descriptor);
    connection.received += size;
    if (connection.replied || connection.received < kMessageSize) return true;
    connection.replied = true;
    static constexpr std::array<char, kMessageSize> kResponse{'r'};
    if (!send_all(descriptor, kResponse.data(), kResponse.size(), MSG_MORE)) return false;
    if (shutdown(descriptor, SHUT_WR) < 0) return close_connection(descriptor, true), false;
    return true;
  }

  // The messages are far smaller than an empty send buffer, so a short send is a failure here.
  bool send_all(int descriptor, const char* bytes, size_t size, int flags) {
    if (send(descriptor, bytes, size, MSG_NOSIGNAL | flags) == static_cast<ssize_t>(size)) {
      return true;
    }
    close_connection(descriptor, true);
    return false;
  }

  void close_connection(int descriptor, bool failed) {
    connections_.close(descriptor, failed);
    close(descriptor);
  }

  const Mode mode_;
  const int listener_;
  const int termination_;
  Epoll epoll_;
  ConnectionTable<Connection> connections_;
};

}  // namespace
}  // namespace soref::bench

int main(int argc, char** argv) {
  using namespace soref::bench;
  return run_server<Server>("epoll", argc, argv, kMessageModes);
}
