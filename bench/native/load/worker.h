// One worker of the load generator: a process with one epoll loop that opens, uses and closes its
// share of the connections. A connection owns its descriptor from open() to release(); the slot is
// then used again for the next connection. Only main() in load.cpp creates one.
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "clock.h"
#include "loopback_connection.h"
#include "options.h"
#include "shared_state.h"

namespace soref::bench {

inline constexpr uint32_t kMessageSize = 64;

class Worker {
 public:
  // `concurrency` and `count` are this worker's share; count 0 means until the phase is `ending`.
  Worker(const Options& options, SharedState& shared, uint32_t index, uint32_t concurrency,
         uint64_t count)
      : options_(options),
        shared_(shared),
        state_(shared.workers[index]),
        destination_(options.host, options.port, options.sources, index),
        bounded_(count != 0),
        budget_(count),
        connections_(concurrency) {
    closed_slots_.reserve(concurrency);
    for (uint32_t slot = concurrency; slot > 0; --slot) closed_slots_.push_back(slot - 1);
  }

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
      const int timeout_ms = ending_ || closed_slots_.empty() ? 10 : 1;
      const int ready = epoll_wait(epoll_, events.data(), events.size(), timeout_ms);
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

 private:
  struct Connection {
    int descriptor = -1;
    uint32_t watched = 0;  // epoll events asked for; 0 before the first epoll_ctl
    bool established = false;
    bool shut = false;  // our side was shut down; only the peer's end is awaited
    bool answered = false;
    uint32_t sent = 0;  // bytes of the current message
    uint32_t received = 0;
    uint64_t since = 0;  // when connect() was called, or when the current message was sent
    std::array<char, kMessageSize> message{};
  };

  bool keeps_connections() const { return exchanges() || options_.mode == Mode::hold; }

  // One message after the other on the same connection.
  bool exchanges() const { return options_.mode == Mode::echo || options_.mode == Mode::http; }

  bool speaks_http() const {
    return options_.mode == Mode::http || options_.mode == Mode::http_close;
  }

  std::string_view request(const Connection& connection) const {
    if (options_.mode == Mode::http) return "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    if (options_.mode == Mode::http_close) {
      return "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    }
    return {connection.message.data(), connection.message.size()};
  }

  // Kept connections are opened at a pace of 16 a millisecond, since nothing tells when the server
  // has accepted one: a burst would overflow its accept queue, and SYNs would be sent again only
  // after a second. In the other modes the server's closing sets the pace.
  void open_closed_slots() {
    size_t allowed = closed_slots_.size();
    if (keeps_connections()) {
      const uint64_t now = now_ns();
      if (now - paced_at_ < 1'000'000) return;
      paced_at_ = now;
      allowed = std::min<size_t>(allowed, 16);
    }
    while (allowed-- > 0 && may_open()) {
      const uint32_t slot = closed_slots_.back();
      closed_slots_.pop_back();
      open(slot);
    }
  }

  bool may_open() const { return !ending_ && (!bounded_ || budget_ > 0); }

  void open(uint32_t slot) {
    Connection& connection = connections_[slot];
    connection = Connection{};
    add(state_.opened);
    if (bounded_ && !keeps_connections()) --budget_;
    connection.descriptor = destination_.open();
    if (connection.descriptor < 0) return fail(slot, failure_of(-connection.descriptor));
    connection.since = now_ns();
    if (const int error = destination_.connect(connection.descriptor)) {
      return fail(slot, failure_of(error));
    }
    if (options_.mode == Mode::hold) return watch(slot, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
    if (options_.mode == Mode::accept_close) return watch(slot, EPOLLIN | EPOLLRDHUP);
    // On loopback the connection is mostly established by now, and the request leaves at once.
    stamp(slot);
    send_message(slot);
  }

  void watch(uint32_t slot, uint32_t wanted) {
    Connection& connection = connections_[slot];
    if (connection.watched == wanted) return;
    epoll_event event{};
    event.events = wanted | EPOLLET;
    event.data.u32 = slot;
    const int operation = connection.watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    connection.watched = wanted;
    if (epoll_ctl(epoll_, operation, connection.descriptor, &event) < 0) {
      fail(slot, failure_of(errno));
    }
  }

  void on_event(uint32_t slot, uint32_t events) {
    Connection& connection = connections_[slot];
    if (!connection.established) {
      if ((events & EPOLLERR) != 0)
        return fail(slot, failure_of(socket_error(connection.descriptor)));
      establish(slot);
      if (ending_ && options_.mode == Mode::hold) return end(slot);
    }
    if (connection.sent < request(connection).size() && !connection.shut &&
        options_.mode != Mode::accept_close && options_.mode != Mode::hold &&
        (events & EPOLLOUT) != 0) {
      send_message(slot);
      if (connection.descriptor < 0) return;
    }
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) receive(slot, events);
  }

  void establish(uint32_t slot) {
    connections_[slot].established = true;
    add(state_.live);
    if (options_.mode == Mode::hold) complete(connections_[slot].since);
  }

  // Every echo message is different, so that an answer to another one is found out.
  void stamp(uint32_t slot) {
    Connection& connection = connections_[slot];
    if (bounded_ && keeps_connections()) --budget_;
    const std::array<uint64_t, 2> mark{slot, ++message_number_};
    std::memcpy(connection.message.data(), mark.data(), sizeof mark);
    connection.sent = connection.received = 0;
    connection.answered = false;
  }

  void send_message(uint32_t slot) {
    Connection& connection = connections_[slot];
    const std::string_view left = request(connection).substr(connection.sent);
    const ssize_t sent = send(connection.descriptor, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != ENOTCONN) {
      return fail(slot, failure_of(errno));
    }
    if (sent > 0) {
      if (!connection.established) establish(slot);
      connection.sent += static_cast<uint32_t>(sent);
    }
    const bool all_sent = connection.sent == request(connection).size();
    const uint32_t output = all_sent ? 0 : uint32_t{EPOLLOUT};
    watch(slot, EPOLLIN | EPOLLRDHUP | output);
  }

  void receive(uint32_t slot, uint32_t events) {
    Connection& connection = connections_[slot];
    std::array<char, 1024> buffer;
    for (;;) {
      const ssize_t size = recv(connection.descriptor, buffer.data(), buffer.size(), 0);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (size < 0) return fail(slot, failure_of(errno));
      if (size == 0) return on_end(slot);
      if (!take(slot, buffer.data(), static_cast<uint32_t>(size))) return;
      // Fewer bytes than asked for: nothing is left, and the next edge tells what comes later.
      if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
    }
  }

  // Returns whether the connection is still there to read from.
  bool take(uint32_t slot, const char* bytes, uint32_t size) {
    Connection& connection = connections_[slot];
    if (!is_expected(connection, bytes, size)) {
      fail(slot, kUnexpectedData);
      return false;
    }
    connection.received += size;
    connection.answered = speaks_http() ? ends_http_answer(connection, bytes, size)
                                        : connection.received == kMessageSize;
    if (!exchanges() || !connection.answered) return true;
    complete(connection.since);
    if (connection.shut) return true;
    if (ending_ || (bounded_ && budget_ == 0)) {
      end(slot);
    } else {
      stamp(slot);
      connection.since = now_ns();
      send_message(slot);
    }
    return connection.descriptor >= 0;
  }

  bool is_expected(const Connection& connection, const char* bytes, uint32_t size) const {
    if (speaks_http()) return !connection.answered;
    if (options_.mode == Mode::request_response) {
      return size <= connection.sent - connection.received;
    }
    return options_.mode == Mode::echo && size <= connection.sent - connection.received &&
           std::memcmp(connection.message.data() + connection.received, bytes, size) == 0;
  }

  // An answer ends with the body that the benchmark's servers send. Its last bytes are kept in
  // `message`, which HTTP does not use, for they may come in pieces.
  static bool ends_http_answer(Connection& connection, const char* bytes, uint32_t size) {
    static constexpr std::string_view kEnd = "\r\n\r\nhello";
    char* const last = connection.message.data();
    const size_t fresh = std::min<size_t>(size, kEnd.size());
    std::memmove(last, last + fresh, kEnd.size() - fresh);
    std::memcpy(last + kEnd.size() - fresh, bytes + size - fresh, fresh);
    return std::string_view(last, kEnd.size()) == kEnd;
  }

  void on_end(uint32_t slot) {
    const Connection& connection = connections_[slot];
    const bool expected = keeps_connections()                   ? connection.shut
                          : options_.mode != Mode::accept_close ? connection.answered
                                                                : true;
    if (!expected) return fail(slot, kUnexpectedEnd);
    if (!keeps_connections()) complete(connection.since);
    add(state_.closed);
    release(slot);
    if (may_open()) {
      closed_slots_.pop_back();
      open(slot);
    }
  }

  void complete(uint64_t since) {
    add(state_.completed);
    if (shared_.phase.load(std::memory_order_relaxed) == Phase::measuring) {
      state_.latency.add(now_ns() - since);
    }
  }

  // Connections that the mode keeps open end in order: our FIN, then the server's, then close().
  void end_kept_connections() {
    if (!keeps_connections()) return;
    for (uint32_t slot = 0; slot < connections_.size(); ++slot) {
      const Connection& connection = connections_[slot];
      // One that is not established yet ends once it is; an echo under way ends with its answer.
      const bool answer_pending = exchanges() && !connection.answered;
      if (connection.established && !connection.shut && !answer_pending) end(slot);
    }
  }

  void end(uint32_t slot) {
    Connection& connection = connections_[slot];
    connection.shut = true;
    if (shutdown(connection.descriptor, SHUT_WR) < 0) fail(slot, failure_of(errno));
  }

  void fail(uint32_t slot, size_t kind) {
    ++state_.failures[kind];
    release(slot);
  }

  // Gives the descriptor back and frees the slot; a slot whose connection failed is tried again
  // only after the next epoll_wait, so that a server that refuses is not hammered.
  void release(uint32_t slot) {
    Connection& connection = connections_[slot];
    if (connection.established) subtract(state_.live);
    if (connection.descriptor >= 0) {
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

  const Options& options_;
  SharedState& shared_;
  WorkerState& state_;
  LoopbackDestination destination_;
  const bool bounded_;
  uint64_t budget_;  // connections still to open, or messages still to be sent
  bool ending_ = false;
  int epoll_ = -1;
  uint64_t paced_at_ = 0;
  uint64_t message_number_ = 0;
  std::vector<Connection> connections_;
  std::vector<uint32_t> closed_slots_;
};

}  // namespace soref::bench
