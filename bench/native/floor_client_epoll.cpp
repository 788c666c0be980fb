// The floor for epoll as a client: one thread, one edge-triggered epoll descriptor. A connection
// takes socket, connect, send, epoll_ctl, one or two recv, and close; nothing that can be left out.
#include <sys/epoll.h>

#include <vector>

#include "floor/client.h"

namespace soref::bench {
namespace {

class Client {
 public:
  Client() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) die("epoll_create1", errno);
    watch(STDIN_FILENO, EPOLLIN | EPOLLHUP);
  }

  int run() {
    std::array<epoll_event, 512> events;
    while (!orders_.ended() || live_ > 0) {
      while (orders_.running() && live_ < orders_.concurrency()) open();
      if (live_ == 0) orders_.on_rest(counts_);
      const int ready = epoll_wait(epoll_, events.data(), events.size(), -1);
      if (ready < 0 && errno != EINTR) die("epoll_wait", errno);
      for (int i = 0; i < ready; ++i) {
        const epoll_event& event = events[static_cast<size_t>(i)];
        if (event.data.fd == STDIN_FILENO) {
          orders_.read_lines(counts_);
          if (orders_.ended()) epoll_ctl(epoll_, EPOLL_CTL_DEL, STDIN_FILENO, nullptr);
        } else {
          receive(event.data.fd, event.events);
        }
      }
    }
    return orders_.conclude(counts_);
  }

 private:
  void watch(int descriptor, uint32_t wanted) {
    epoll_event event{};
    event.events = wanted;
    event.data.fd = descriptor;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) < 0) die("epoll_ctl", errno);
  }

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
    watch(descriptor, EPOLLIN | EPOLLRDHUP | EPOLLET);
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
  int epoll_ = -1;
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
