// How a client of the soak behaves: see client.h.
#include "soak_clients/client.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "clock.h"

namespace soref::bench {

namespace {

constexpr uint32_t kSources = 16;
constexpr uint32_t kStormSize = 200;
constexpr uint32_t kSurge = 4;  // times as many connections as usual
constexpr uint64_t kMillisecond = 1'000'000;

void set_option(int descriptor, int level, int option, int value) {
  setsockopt(descriptor, level, option, &value, sizeof value);
}

// Small segments keep the server's send buffer small, and a small window fills it: then the server
// has more to send than it can get rid of.
void make_slow(int descriptor) {
  set_option(descriptor, IPPROTO_TCP, TCP_MAXSEG, 536);
  set_option(descriptor, SOL_SOCKET, SO_RCVBUF, 4096);
}

}  // namespace

Client::Client(const Options& options, Tally& tally)
    : options_(options),
      tally_(tally),
      wide_(options.host, options.port, kSources, 0),
      narrow_(options.host, options.narrow_port, kSources, 0),
      next_(options.first),
      end_(options.first + options.count) {}

bool Client::start() {
  connections_.resize(kSurge * options_.concurrency + kStormSize);
  for (size_t slot = connections_.size(); slot > 0; --slot) {
    free_slots_.push_back(static_cast<uint32_t>(slot - 1));
  }
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  now_ = now_ns();
  return epoll_ >= 0;
}

int Client::run() {
  if (!start()) return errno;
  for (;;) {
    open_due();
    const bool all_opened = next_ == end_ && storm_numbers_ == 0;
    if (all_opened && free_slots_.size() == connections_.size()) break;
    turn(held_back_.empty() ? 5 : 0);
  }
  close(epoll_);
  return 0;
}

void Client::live_until_killed(uint64_t first, uint32_t connections) {
  if (!start()) _exit(1);
  constexpr std::array manners{kKilledInRequest, kKilledInAnswer, kConverse};
  for (uint32_t i = 0; i < connections; ++i) {
    open(first + i, manners[i % manners.size()], wide_);
  }
  for (;;) turn(5);
}

void Client::turn(int timeout_ms) {
  std::array<epoll_event, 256> events;
  const int ready = epoll_wait(epoll_, events.data(), events.size(), timeout_ms);
  now_ = now_ns();
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    on_event(event.data.u32, event.events);
  }
  send_what_waited();
  end_overdue();
}

// --- opening

void Client::open_due() {
  while (next_ != end_ && storm_numbers_ < kStormSize && in_use() < allowed()) {
    const uint64_t number = next_++;
    const size_t manner = manner_of(number);
    if (manner == kStorm) {
      ++storm_numbers_;
    } else if (manner != kKilledInRequest) {
      open(number, manner, wide_);
    }
  }
  // What is left at the end makes a storm as well.
  const bool storm_due = storm_numbers_ == kStormSize || next_ == end_;
  if (!storm_due || storm_open_ > 0) return;
  for (; storm_numbers_ > 0; --storm_numbers_) open(next_ + storm_numbers_, kStorm, narrow_);
}

// Connections that are open, without those of a storm, which come on top.
size_t Client::in_use() const { return connections_.size() - free_slots_.size() - storm_open_; }

// An eighth of the run has more than a server can hold whose descriptors are limited to what it
// needs otherwise: its listeners run out of them there, and have them again afterwards.
size_t Client::allowed() const {
  const uint64_t eighth = (next_ - options_.first) * 8 / options_.count;
  return eighth == 4 ? size_t{kSurge} * options_.concurrency : options_.concurrency;
}

void Client::open(uint64_t number, size_t manner, LoopbackDestination& destination) {
  const Manner& how = kManners[manner];
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  if (manner == kStorm) ++storm_open_;
  Connection& connection = connections_[slot];
  connection = Connection{};
  connection.plan = plan_of(number, manner);
  connection.deadline = now_ + how.patience_ms * kMillisecond;
  count(tally_.opened[manner]);
  const int descriptor = destination.open();
  if (descriptor < 0) return fail(slot, failure_of(-descriptor));
  connection.descriptor = descriptor;
  set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  if (how.slow) make_slow(descriptor);
  if (const int error = destination.connect(descriptor)) return fail(slot, failure_of(error));
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u32 = slot;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) < 0) {
    return fail(slot, failure_of(errno));
  }
  // On loopback the connection is mostly established by now, and the request leaves at once.
  send(slot);
}

// --- what happens on a connection

void Client::on_event(uint32_t slot, uint32_t events) {
  // Each step may end the connection.
  if (connections_[slot].descriptor < 0) return;
  if ((events & EPOLLOUT) != 0) send(slot);
  if (connections_[slot].descriptor < 0) return;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) on_readable(slot);
}

void Client::send(uint32_t slot) {
  Connection& connection = connections_[slot];
  const Plan& plan = connection.plan;
  if (connection.sent == plan.to_send && plan.to_send > 0) return;
  if (connection.held_back) return;
  const bool pauses = connection.sent < plan.pause_at;
  const uint32_t until = pauses ? plan.pause_at : plan.to_send;
  while (connection.sent < until) {
    std::array<iovec, 2> pieces;
    int used = 0;
    uint32_t body = 0;
    if (connection.sent < sizeof(RequestHeader)) {
      const uint32_t size = std::min(until, uint32_t{sizeof(RequestHeader)}) - connection.sent;
      const auto* header = reinterpret_cast<const char*>(&plan.header) + connection.sent;
      pieces[0] = {const_cast<char*>(header), size};
      used = 1;
    } else {
      body = connection.sent - uint32_t{sizeof(RequestHeader)};
    }
    if (until > sizeof(RequestHeader)) {
      const uint32_t size = until - uint32_t{sizeof(RequestHeader)} - body;
      pieces[static_cast<size_t>(used)] = {
          const_cast<char*>(pattern_.at(uint64_t{plan.header.start} + body)), size};
      ++used;
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = static_cast<size_t>(used);
    const ssize_t sent = sendmsg(connection.descriptor, &message, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
    if (sent < 0) return on_server_end(slot, errno);
    connection.sent += static_cast<uint32_t>(sent);
  }
  if (connection.sent == plan.to_send) return on_sent(slot);
  connection.held_back = true;
  held_back_.push_back(slot);
}

void Client::on_sent(uint32_t slot) {
  const Connection& connection = connections_[slot];
  const Manner& how = kManners[connection.plan.manner];
  if (how.then == Then::reset) return succeed(slot, true);
  if (how.then == Then::close) return succeed(slot);
  if (connection.plan.half_closes && shutdown(connection.descriptor, SHUT_WR) < 0) {
    on_server_end(slot, errno);
  }
}

void Client::on_readable(uint32_t slot) {
  const Connection& connection = connections_[slot];
  const Manner& how = kManners[connection.plan.manner];
  if (how.answer == Answer::ignore) return;
  if (how.answer == Answer::close) return succeed(slot);
  std::array<char, 65'536> buffer;
  while (connection.descriptor >= 0) {
    const ssize_t size = recv(connection.descriptor, buffer.data(), kPatternPeriod, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) return on_server_end(slot, size < 0 ? errno : 0);
    on_answer(slot, buffer.data(), static_cast<uint32_t>(size));
  }
}

void Client::on_answer(uint32_t slot, const char* bytes, uint32_t size) {
  Connection& connection = connections_[slot];
  const RequestHeader& header = connection.plan.header;
  const uint64_t position = uint64_t{header.start} + header.request + connection.received;
  if (size > header.answer - connection.received ||
      std::memcmp(bytes, pattern_.at(position), size) != 0) {
    return fail(slot, kUnexpectedData);
  }
  connection.received += size;
  if (kManners[connection.plan.manner].answer == Answer::reset) succeed(slot, true);
}

// The server has ended the connection, or broken it with an error.
void Client::on_server_end(uint32_t slot, int error) {
  const Connection& connection = connections_[slot];
  const bool whole = error == 0 && connection.received == connection.plan.header.answer &&
                     connection.sent == connection.plan.to_send;
  if (whole) count(tally_.answered);
  if (whole || kManners[connection.plan.manner].ending != Ending::whole_answer) {
    return succeed(slot);
  }
  fail(slot, error == 0 ? kUnexpectedEnd : failure_of(error));
}

// --- time

void Client::send_what_waited() {
  for (const uint32_t slot : std::exchange(held_back_, {})) {
    if (!connections_[slot].held_back) continue;
    connections_[slot].held_back = false;
    send(slot);
  }
}

void Client::end_overdue() {
  for (uint32_t slot = 0; slot < connections_.size(); ++slot) {
    const Connection& connection = connections_[slot];
    if (connection.descriptor < 0 || connection.deadline > now_) continue;
    if (kManners[connection.plan.manner].ending == Ending::client) {
      succeed(slot);
    } else {
      fail(slot, kNeverEnded);
    }
  }
}

// --- ends

void Client::succeed(uint32_t slot, bool reset) {
  count(tally_.ended[connections_[slot].plan.manner]);
  release(slot, reset);
}

void Client::fail(uint32_t slot, size_t failure) {
  count(tally_.failures[failure]);
  release(slot, false);
}

void Client::release(uint32_t slot, bool reset) {
  Connection& connection = connections_[slot];
  if (connection.descriptor >= 0) {
    if (reset) reset_on_close(connection.descriptor);
    close(connection.descriptor);
  }
  connection.descriptor = -1;
  connection.held_back = false;
  if (connection.plan.manner == kStorm) --storm_open_;
  free_slots_.push_back(slot);
}

}  // namespace soref::bench
