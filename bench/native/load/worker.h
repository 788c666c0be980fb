// One worker of the load generator: a process with one epoll loop that opens, uses and closes its
// share of the connections. This is what all kinds of load have in common: slots, descriptors, the
// pace, the phases and the counters; what is said on a connection is the derived class's. A
// connection owns its descriptor from open() to release(); the slot is then used again for the next
// one. Only main() in load.cpp creates a worker.
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "clock.h"
#include "loopback_connection.h"
#include "options.h"
#include "pace.h"
#include "shared_state.h"

namespace soref::bench {

// What a worker is to do: its number, and its share of the connections and of the count, where 0
// means until the phase is `ending`.
struct Share {
  uint32_t index = 0;
  uint32_t concurrency = 0;
  uint64_t count = 0;
};

class Worker {
 public:
  Worker(const Options& options, SharedState& shared, const Share& share, bool keeps_connections)
      : options_(options),
        state_(shared.workers[share.index]),
        bounded_(share.count != 0),
        keeps_connections_(keeps_connections),
        budget_(share.count),
        connections_(share.concurrency),
        shared_(shared),
        destination_(options.host, options.port, options.sources, share.index),
        pace_(options.rate / options.workers, keeps_connections) {
    closed_slots_.reserve(share.concurrency);
    for (uint32_t slot = share.concurrency; slot > 0; --slot) closed_slots_.push_back(slot - 1);
  }
  virtual ~Worker() = default;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Runs to the end of the load; returns 0 or the errno that kept the loop from running.
  int run() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) return errno;
    uint64_t deadline = bounded_ ? now_ns() + seconds_to_ns(options_.timeout) : UINT64_MAX;
    std::array<epoll_event, 512> events;
    for (;;) {
      if (!ending_ && (shared_.phase.load(std::memory_order_acquire) == Phase::ending ||
                       (bounded_ && budget_ == 0))) {
        ending_ = true;
        if (!bounded_) deadline = now_ns() + seconds_to_ns(options_.timeout);
        end_kept_connections();
      }
      if (ending_ && closed_slots_.size() == connections_.size()) break;
      if (now_ns() > deadline) break;
      open_closed_slots();
      const int ready = epoll_wait(epoll_, events.data(), events.size(), timeout_ms());
      if (ready < 0 && errno != EINTR) return errno;
      for (int i = 0; i < ready; ++i) {
        const epoll_event& event = events[static_cast<size_t>(i)];
        on_event(event.data.u32, event.events);
      }
    }
    abandon_unfinished();
    close(epoll_);
    return 0;
  }

 protected:
  struct Connection {
    int descriptor = -1;
    uint32_t watched = 0;  // epoll events asked for; 0 before the first epoll_ctl
    bool established = false;
    bool shut = false;   // our side was shut down; only the peer's end is awaited
    uint64_t since = 0;  // when connect() was due, or when the current message was sent
  };

  // --- what a kind of load decides

  // The connection was just begun; on loopback it is mostly established by now.
  virtual void begin(uint32_t slot) = 0;
  // Something happened on an established connection.
  virtual void on_ready(uint32_t slot, uint32_t events) = 0;
  // Ends a connection that was kept, at the end of the load; its own work may have to end first.
  virtual void end_kept(uint32_t slot) = 0;
  // The descriptor is about to be closed.
  virtual void on_release(uint32_t) {}

  // --- what it is given

  bool may_open() const { return !ending_ && (!bounded_ || budget_ > 0); }

  // The mode's unit of work, `amount` times, which began at `since`.
  void complete(uint64_t since, uint64_t amount = 1) {
    add(state_.completed, amount);
    if (shared_.phase.load(std::memory_order_relaxed) == Phase::measuring) {
      state_.latency.add(now_ns() - since);
    }
  }

  void watch(uint32_t slot, uint32_t wanted) {
    Connection& connection = connections_[slot];
    if (connection.watched == wanted) return;
    epoll_event event{};
    event.events = wanted;
    event.data.u32 = slot;
    const int operation = connection.watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    connection.watched = wanted;
    if (epoll_ctl(epoll_, operation, connection.descriptor, &event) < 0) {
      fail(slot, failure_of(errno));
    }
  }

  void establish(uint32_t slot) {
    if (connections_[slot].established) return;
    connections_[slot].established = true;
    add(state_.live);
  }

  void shut(uint32_t slot) {
    Connection& connection = connections_[slot];
    connection.shut = true;
    if (shutdown(connection.descriptor, SHUT_WR) < 0) fail(slot, failure_of(errno));
  }

  // The connection ended as it should; its slot is used again at once.
  void succeed(uint32_t slot) {
    add(state_.closed);
    release(slot);
    if (!may_open() || pace_.rated() || keeps_connections_) return;
    closed_slots_.pop_back();
    open(slot, now_ns());
  }

  void fail(uint32_t slot, size_t kind) {
    ++state_.failures[kind];
    release(slot);
  }

  const Options& options_;
  WorkerState& state_;
  const bool bounded_;
  const bool keeps_connections_;
  bool ending_ = false;
  uint64_t budget_;  // connections still to open, or messages still to be sent
  std::vector<Connection> connections_;

 private:
  // Where the moment of opening matters the loop does not sleep.
  int timeout_ms() const {
    if (pace_.rated() && !ending_) return 0;
    return ending_ || closed_slots_.empty() ? 10 : 1;
  }

  void open_closed_slots() {
    if (closed_slots_.empty() || !may_open()) return;
    const uint64_t now = now_ns();
    size_t allowed = std::min(closed_slots_.size(), pace_.due(now));
    while (allowed-- > 0 && may_open()) {
      const uint32_t slot = closed_slots_.back();
      closed_slots_.pop_back();
      open(slot, pace_.take(now));
    }
  }

  void open(uint32_t slot, uint64_t since) {
    Connection& connection = connections_[slot];
    connection = Connection{};
    add(state_.opened);
    if (bounded_ && !keeps_connections_) --budget_;
    connection.descriptor = destination_.open();
    if (connection.descriptor < 0) return fail(slot, failure_of(-connection.descriptor));
    connection.since = since;
    if (const int error = destination_.connect(connection.descriptor)) {
      return fail(slot, failure_of(error));
    }
    begin(slot);
  }

  void on_event(uint32_t slot, uint32_t events) {
    Connection& connection = connections_[slot];
    if (!connection.established) {
      if ((events & EPOLLERR) != 0)
        return fail(slot, failure_of(socket_error(connection.descriptor)));
      establish(slot);
    }
    on_ready(slot, events);
  }

  // Connections that the mode keeps open end in order: our FIN, then the server's, then close().
  void end_kept_connections() {
    if (!keeps_connections_) return;
    for (uint32_t slot = 0; slot < connections_.size(); ++slot) {
      // One that is not established yet ends once it is.
      if (connections_[slot].established && !connections_[slot].shut) end_kept(slot);
    }
  }

  // Gives the descriptor back and frees the slot; a slot whose connection failed is tried again
  // only after the next epoll_wait, so that a server that refuses is not hammered.
  void release(uint32_t slot) {
    Connection& connection = connections_[slot];
    if (connection.established) subtract(state_.live);
    if (connection.descriptor >= 0) {
      on_release(slot);
      if (options_.reset) reset_on_close(connection.descriptor);
      close(connection.descriptor);
    }
    connection.descriptor = -1;
    connection.established = false;
    closed_slots_.push_back(slot);
  }

  void abandon_unfinished() {
    for (uint32_t slot = 0; slot < connections_.size(); ++slot) {
      if (connections_[slot].descriptor < 0) continue;
      add(state_.unfinished);
      release(slot);
    }
  }

  SharedState& shared_;
  LoopbackDestination destination_;
  Pace pace_;
  int epoll_ = -1;
  std::vector<uint32_t> closed_slots_;
};

}  // namespace soref::bench
