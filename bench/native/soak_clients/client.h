// A client process of the soak: one epoll loop that opens connections and behaves on each as its
// plan says. A connection owns its descriptor from open() to release(); the slot is then used
// again. soak_clients.cpp runs one for each process that it forks.
#pragma once

#include <cstdint>
#include <vector>

#include "loopback_connection.h"
#include "soak_clients/options.h"
#include "soak_clients/pattern.h"
#include "soak_clients/plan.h"
#include "soak_clients/tally.h"

namespace soref::bench {

class Client {
 public:
  Client(const Options& options, Tally& tally);

  // Opens all numbers but those of killed processes, and waits for the end of every connection.
  // Returns 0, or the errno that kept the loop from running.
  int run();
  // Opens `connections` that never end, from the number `first` on, and lives on until it is
  // killed: one third stands in the midst of the request, one in the midst of the answer.
  [[noreturn]] void live_until_killed(uint64_t first, uint32_t connections);

 private:
  struct Connection {
    int descriptor = -1;
    Plan plan;
    uint32_t sent = 0;
    uint32_t received = 0;
    bool held_back = false;  // waits for the next turn to send the rest
    uint64_t deadline = 0;
  };

  bool start();
  void open_due();
  size_t in_use() const;
  size_t allowed() const;
  void open(uint64_t number, size_t manner, LoopbackDestination& destination);
  void turn(int timeout_ms);
  void send_what_waited();
  void end_overdue();

  void on_event(uint32_t slot, uint32_t events);
  void send(uint32_t slot);
  void on_sent(uint32_t slot);
  void on_readable(uint32_t slot);
  void on_answer(uint32_t slot, const char* bytes, uint32_t size);
  void on_server_end(uint32_t slot, int error);

  void succeed(uint32_t slot, bool reset = false);
  void fail(uint32_t slot, size_t failure);
  void release(uint32_t slot, bool reset);

  const Options& options_;
  Tally& tally_;
  const Pattern pattern_;
  LoopbackDestination wide_;
  LoopbackDestination narrow_;
  int epoll_ = -1;
  uint64_t next_;
  const uint64_t end_;
  uint32_t storm_numbers_ = 0;  // numbers of the next storm that have come up so far
  uint32_t storm_open_ = 0;     // connections of the present storm that are open
  uint64_t now_ = 0;
  std::vector<Connection> connections_;
  std::vector<uint32_t> free_slots_;
  std::vector<uint32_t> held_back_;
};

}  // namespace soref::bench
