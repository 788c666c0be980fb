// The floor for epoll: a bare C++ server with one thread, one edge-triggered epoll descriptor,
// accepting until the queue is empty. It makes only the system calls that the service demands.
#include <sys/epoll.h>

#include <vector>

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
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) die("epoll_create1", errno);
    watch(listener_, EPOLLIN);  // level-triggered: what one turn leaves in the queue is not lost
    watch(termination_, EPOLLIN);
  }

  ServerCounts run() {
    std::array<epoll_event, 512> events;
    for (;;) {
      const int ready = epoll_wait(epoll_, events.data(), events.size(), -1);
      if (ready < 0 && errno != EINTR) die("epoll_wait", errno);
      for (int i = 0; i < ready; ++i) {
        const epoll_event& event = events[static_cast<size_t>(i)];
        const int descriptor = event.data.fd;
        if (descriptor == termination_) return end();
        if (descriptor == listener_) {
          accept_waiting();
        } else {
          receive(descriptor, event.events);
        }
      }
    }
  }

 private:
  void watch(int descriptor, uint32_t wanted) {
    epoll_event event{};
    event.events = wanted;
    event.data.fd = descriptor;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) < 0) die("epoll_ctl", errno);
  }

  void accept_waiting() {
    for (int i = 0; i < 512; ++i) {
      const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor < 0) {
        if (errno != EAGAIN) ++counts_.accept_errors;
        return;
      }
      ++counts_.accepted;
      if (mode_ == Mode::accept_close) {
        close(descriptor);
        ++counts_.closed;
        continue;
      }
      const auto index = static_cast<size_t>(descriptor);
      if (index >= connections_.size()) connections_.resize(index * 2 + 64);
      connections_[index] = Connection{.open = true};
      receive(descriptor, 0);  // the request is mostly there already
    }
  }

  // Reads until nothing is left; then epoll watches, from the first time that this happens.
  void receive(int descriptor, uint32_t events) {
    Connection& connection = connections_[static_cast<size_t>(descriptor)];
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
    watch(descriptor, EPOLLIN | EPOLLRDHUP | EPOLLET);
  }

  // MSG_MORE holds the answer back until shutdown() sends it together with the FIN.
  bool answer(int descriptor, uint32_t size) {
    Connection& connection = connections_[static_cast<size_t>(descriptor)];
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
    connections_[static_cast<size_t>(descriptor)] = Connection{};
    close(descriptor);
    ++counts_.closed;
    if (failed) ++counts_.failed;
  }

  ServerCounts end() {
    close(listener_);
    for (size_t i = 0; i < connections_.size(); ++i) {
      if (connections_[i].open) close_connection(static_cast<int>(i), false);
    }
    close(epoll_);
    return counts_;
  }

  const Mode mode_;
  const int listener_;
  const int termination_;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  ServerCounts counts_;
};

}  // namespace
}  // namespace soref::bench

int main(int argc, char** argv) {
  using namespace soref::bench;
  const ServerOptions options = parse_server_options(argc, argv,
                                                     {{"accept-close", Mode::accept_close},
                                                      {"request-response", Mode::request_response},
                                                      {"echo", Mode::echo},
                                                      {"hold", Mode::hold}});
  raise_descriptor_limit();
  const int termination = open_termination_signal();
  Server server(options.mode, listen_and_announce(options), termination);
  return print_server_report("epoll", server.run());
}
