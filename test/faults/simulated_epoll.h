// One epoll(7) instance of the simulated kernel, for the real epoll engine: edge-triggered, and no
// more generous with edges than the real one, so that a lost edge is a lost socket. Events come in
// any order, and some of them late.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <map>
#include <span>

#include "simulated_kernel.h"
#include "vain_waits.h"

namespace soref::faults {

class SimulatedEpoll {
 public:
  // One in `holds_back` events is reported by a later call; 0: none.
  SimulatedEpoll(SimulatedKernel& kernel, std::uint32_t holds_back);
  ~SimulatedEpoll();
  SimulatedEpoll(const SimulatedEpoll&) = delete;
  SimulatedEpoll& operator=(const SimulatedEpoll&) = delete;

  // epoll_ctl(2) and epoll_wait(2): a negative errno where they fail.
  int control(int operation, int descriptor, const epoll_event* event);
  int wait(std::span<epoll_event> events, int timeout_milliseconds);

  // Whether the instance's own descriptor would be readable.
  [[nodiscard]] bool is_readable() const;

 private:
  struct Watch {
    epoll_event wanted;
    bool edge = true;  // registering reports what is ready already
  };

  // What the endpoint is ready for.
  [[nodiscard]] std::uint32_t mask_of(const Endpoint& endpoint) const;
  // What is to be reported of it now; 0: nothing.
  [[nodiscard]] std::uint32_t events_of(const Watch& watch, const Endpoint& endpoint) const;
  // Connects that are under way come to their end here: nobody else waits for them.
  void finish_connects();

  SimulatedKernel* kernel_;
  std::uint32_t holds_back_;
  std::map<std::uint32_t, Watch> watches_;  // by endpoint
  VainWaits vain_waits_;
};

}  // namespace soref::faults
