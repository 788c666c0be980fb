// One epoll descriptor as the bare programs use it. Owns it, and the events of the last wait.
#pragma once

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <span>

#include "floor/process.h"

namespace soref::bench {

class Epoll {
 public:
  Epoll() : descriptor_(epoll_create1(EPOLL_CLOEXEC)) {
    if (descriptor_ < 0) die("epoll_create1", errno);
  }
  Epoll(const Epoll&) = delete;
  Epoll& operator=(const Epoll&) = delete;
  ~Epoll() { close(descriptor_); }

  void watch(int descriptor, uint32_t wanted) {
    epoll_event event{};
    event.events = wanted;
    event.data.fd = descriptor;
    if (epoll_ctl(descriptor_, EPOLL_CTL_ADD, descriptor, &event) < 0) die("epoll_ctl", errno);
  }

  void forget(int descriptor) { epoll_ctl(descriptor_, EPOLL_CTL_DEL, descriptor, nullptr); }

  // Waits for at most so many milliseconds, or for any time with -1. The events are there until the
  // next wait.
  std::span<const epoll_event> wait(int timeout) {
    const int ready =
        epoll_wait(descriptor_, events_.data(), static_cast<int>(events_.size()), timeout);
    if (ready >= 0) return {events_.data(), static_cast<size_t>(ready)};
    if (errno != EINTR) die("epoll_wait", errno);
    return {};
  }

 private:
  const int descriptor_;
  std::array<epoll_event, 512> events_;
};

}  // namespace soref::bench
