// The floor for epoll as a client: one thread, one edge-triggered epoll descriptor. A connection
// takes socket, connect, send, epoll_ctl, one or two recv, and close; nothing that can be left out.
#include <vector>

#include "floor/client.h"
#include "floor/epoll.h"

namespace soref::bench {
namespace {

class Client {
 public:
  Client() { epoll_.watch(STDIN_FILENO, EPOLLIN | EPOLLHUP); }

  int run() {
    while (!orders_.ended() || live_ > 0) {
      while (orders_.running() && live_ < orders_.concurrency()) open();
      if (live_ == 0) orders_.on_rest(counts_);
      for (const epoll_event& event : epoll_.wait(-1)) {
        if (event.data.fd == STDIN_FILENO) {
          orders_.read_lines(counts_);
          if (orders_.ended()) epoll_.forget(STDIN_FILENO);
        } else {
          receive(event.data.fd, event.events);
        }
      }
    }
    return orders_.conclude(counts_);
  }

 private:
  // On loopback a connection is established when connect() returns, so the request leaves at once.
  void open() {
    ++counts_.opened;
    ++live_;
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) die("socket", errno);
    const auto index = static_cast<size_t>(descriptor);
    if (index >= received_.size()) received_.resize(index * 2 + 64);
    received_[index] = 0;
    const sockaddr_in& destination = orders_.destination();
    const auto* address = reinterpret_cast<const sockaddr*>(&destination);
    static constexpr std::array<char, kMessageSize> kRequest{'q'};
    if ((connect(descriptor, address, sizeof destination) < 0 && errno != EINPROGRESS) ||
        send(descriptor, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) != kMessageSize) {
      return finish(descriptor, false);
    }
    epoll_.watch(descriptor, EPOLLIN | EPOLLRDHUP | EPOLLET);
  }

  void receive(int descriptor, uint32_t events) {
    uint32_t& received = received_[static_cast<size_t>(descriptor)];
    std::array<char, 4096> buffer;
    const ssize_t size = recv(descriptor, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size > 0) received += static_cast<uint32_t>(size);
    // The event tells of the end already, where it came with the bytes.
    const bool over = size <= 0 || (events & EPOLLRDHUP) != 0;
    if (over) finish(descriptor, size >= 0 && received == kMessageSize);
  }

  void finish(int descriptor, bool complete) {
    close(descriptor);
    --live_;
    ++(complete ? counts_.completed : counts_.failed);
  }

  Orders orders_;
  Epoll epoll_;
  uint32_t live_ = 0;
  std::vector<uint32_t> received_;  // bytes, by descriptor
  ClientCounts counts_;
};

}  // namespace
}  // namespace soref::bench

int main() {
  soref::bench::Client client;
  return client.run();
}
