// The loads of short messages: 64 bytes, or an HTTP request of one segment, and their answers, on
// connections that are kept or that end with the answer; and those without any message.
#pragma once

#include <cstring>
#include <string_view>

#include "http_message.h"
#include "worker.h"

namespace soref::bench {

inline constexpr uint32_t kMessageSize = 64;

class MessageWorker final : public Worker {
 public:
  MessageWorker(const Options& options, SharedState& shared, const Share& share)
      : Worker(options, shared, share, exchanges(options.mode) || options.mode == Mode::hold),
        exchanges_(share.concurrency) {}

 private:
  struct Exchange {
    bool answered = false;
    uint32_t sent = 0;  // bytes of the current message
    uint32_t received = 0;
    std::array<char, kMessageSize> message{};
  };

  // One message after the other on the same connection.
  static bool exchanges(Mode mode) { return mode == Mode::echo || mode == Mode::http; }
  bool exchanges() const { return exchanges(options_.mode); }

  bool is_silent() const {
    return options_.mode == Mode::accept_close || options_.mode == Mode::hold;
  }

  bool speaks_http() const {
    return options_.mode == Mode::http || options_.mode == Mode::http_close;
  }

  std::string_view request(const Exchange& exchange) const {
    if (options_.mode == Mode::http) return kHttpRequest;
    if (options_.mode == Mode::http_close) return kLastHttpRequest;
    return {exchange.message.data(), exchange.message.size()};
  }

  void begin(uint32_t slot) override {
    exchanges_[slot] = Exchange{};
    if (options_.mode == Mode::hold) return watch(slot, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    if (options_.mode == Mode::accept_close) return watch(slot, EPOLLIN | EPOLLRDHUP | EPOLLET);
    stamp(slot);
    send_message(slot);
  }

  void on_ready(uint32_t slot, uint32_t events) override {
    Connection& connection = connections_[slot];
    if (options_.mode == Mode::hold && !exchanges_[slot].answered) {
      exchanges_[slot].answered = true;
      complete(connection.since);
      if (ending_) return shut(slot);
    }
    if (!is_silent() && exchanges_[slot].sent < request(exchanges_[slot]).size() &&
        !connection.shut && (events & EPOLLOUT) != 0) {
      send_message(slot);
      if (connection.descriptor < 0) return;
    }
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) receive(slot, events);
  }

  // Every message is different, so that an answer to another one is found out.
  void stamp(uint32_t slot) {
    Exchange& exchange = exchanges_[slot];
    if (bounded_ && keeps_connections_) --budget_;
    const std::array<uint64_t, 2> mark{slot, ++message_number_};
    std::memcpy(exchange.message.data(), mark.data(), sizeof mark);
    exchange.sent = exchange.received = 0;
    exchange.answered = false;
  }

  void send_message(uint32_t slot) {
    Connection& connection = connections_[slot];
    Exchange& exchange = exchanges_[slot];
    const std::string_view left = request(exchange).substr(exchange.sent);
    const ssize_t sent = send(connection.descriptor, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != ENOTCONN) {
      return fail(slot, failure_of(errno));
    }
    if (sent > 0) {
      establish(slot);
      exchange.sent += static_cast<uint32_t>(sent);
    }
    const bool all_sent = exchange.sent == request(exchange).size();
    const uint32_t output = all_sent ? 0 : uint32_t{EPOLLOUT};
    if (all_sent && options_.mode == Mode::echo_close) {
      shut(slot);
      if (connection.descriptor < 0) return;
    }
    watch(slot, EPOLLIN | EPOLLRDHUP | EPOLLET | output);
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
    Exchange& exchange = exchanges_[slot];
    if (!is_expected(exchange, bytes, size)) {
      fail(slot, kUnexpectedData);
      return false;
    }
    exchange.received += size;
    exchange.answered = speaks_http() ? ends_http_answer(exchange.message, bytes, size)
                                      : exchange.received == kMessageSize;
    if (!exchanges() || !exchange.answered) return true;
    complete(connection.since);
    if (connection.shut) return true;
    if (ending_ || (bounded_ && budget_ == 0)) {
      shut(slot);
    } else {
      stamp(slot);
      connection.since = now_ns();
      send_message(slot);
    }
    return connection.descriptor >= 0;
  }

  bool is_expected(const Exchange& exchange, const char* bytes, uint32_t size) const {
    if (speaks_http()) return !exchange.answered;
    if (is_silent() || size > exchange.sent - exchange.received) return false;
    return options_.mode == Mode::request_response ||
           std::memcmp(exchange.message.data() + exchange.received, bytes, size) == 0;
  }

  void on_end(uint32_t slot) {
    const Connection& connection = connections_[slot];
    const bool expected = keeps_connections_                    ? connection.shut
                          : options_.mode != Mode::accept_close ? exchanges_[slot].answered
                                                                : true;
    if (!expected) return fail(slot, kUnexpectedEnd);
    if (!keeps_connections_) complete(connection.since);
    succeed(slot);
  }

  // An echo under way ends with its answer.
  void end_kept(uint32_t slot) override {
    if (!exchanges() || exchanges_[slot].answered) shut(slot);
  }

  uint64_t message_number_ = 0;
  std::vector<Exchange> exchanges_;
};

}  // namespace soref::bench
