// What the consumer checks of each event.
#include <cstdlib>

#include "consumer.h"

namespace soref::faults {

using core::Header;
using socket::Event;

void Consumer::dispatch() {
  std::int32_t& cursor = memory_->header(Header::event_cursor);
  const std::int32_t& count = memory_->header(Header::event_count);
  if (cursor == 0) ++batch_;
  while (cursor < count && !stopped_) {
    const std::span<const std::int32_t> event = memory_->event(cursor++);
    // Generation 0: release() has taken it.
    if (event[2] == 0) continue;
    Holder* holder =
        find(static_cast<std::uint32_t>(event[1]), static_cast<std::uint32_t>(event[2]));
    if (holder == nullptr) {
      // Connections that nobody accepted before their listener closed say farewell too.
      report_->expect(event[0] == static_cast<std::int32_t>(Event::closed),
                      "an event names a socket of the consumer",
                      "event " + std::to_string(event[0]));
      continue;
    }
    report_->trace("event " + std::to_string(event[0]) + " of " + holder->describe() + ": " +
                   std::to_string(event[3]) + ", " + std::to_string(event[4]));
    receive_event(*holder, static_cast<Event>(event[0]), event[3], event[4]);
    // A consumer may do anything from within an event, and it may throw.
    if (over_) {
      if (holder->is_open()) close(*holder, false);
    } else {
      if (holder->is_open() && choices_->below(3) == 0) act_on(*holder);
      if (choices_->below(8) == 0) act();
    }
    if (after_event) after_event(holder);
    if (choices_->below(16) == 0) return;
  }
}

void Consumer::receive_event(Holder& holder, Event event, std::int32_t first, std::int32_t second) {
  expect(holder.phase != Phase::closed, "no event follows the last", holder);
  if (event == Event::closed) {
    expect(holder.phase == Phase::closing || holder.phase == Phase::detached,
           "the last event follows a close or a release", holder);
    holder.phase = Phase::closed;
    ++holder.closed_events;
    return;
  }
  expect(!holder.close_carried_out || batch_ <= holder.last_batch,
         "no event but the last follows a close", holder);
  const Endpoint& endpoint = kernel_->endpoint(holder.endpoint);
  switch (event) {
    case Event::connected:
      expect(holder.connecting, "a connect ends once", holder);
      // Meanwhile the peer may have reset the connection, or the consumer closed it.
      expect((first == 0) == (endpoint.state == EndpointState::connected) || endpoint.disturbed ||
                 endpoint.reset || endpoint.state == EndpointState::closed,
             "a connect ends as it did in the kernel", holder);
      holder.connecting = false;
      holder.connected = first == 0;
      if (holder.connected && choices_->below(4) != 0) receive(holder, true);
      return;
    case Event::connection: {
      expect(holder.listening && !holder.accept_failed, "a listener that accepts has connections",
             holder);
      socket::Socket* child = core_->layer().find(
          {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(second)});
      expect(child != nullptr, "a connection is there when it is announced", holder);
      if (child == nullptr) return;
      Holder& accepted = hold(*child);
      accepted.connected = true;
      if (choices_->below(4) != 0) receive(accepted, true);
      return;
    }
    case Event::accept_failed:
      expect(holder.listening && !holder.accept_failed, "a listener fails once", holder);
      expect(endpoint.disturbed, "a listener fails of an error that is its own", holder);
      holder.accept_failed = true;
      return;
    case Event::data:
      expect(holder.connected && !holder.receive_over, "bytes come before the end", holder);
      take_bytes(holder, received(first, second));
      return;
    case Event::end:
    case Event::receive_failed:
      expect(!holder.receive_over, "the receiving direction ends once", holder);
      holder.receive_over = true;
      if (event == Event::receive_failed) {
        expect(endpoint.disturbed || endpoint.reset || !holder.connected,
               "receiving fails for a reason", holder);
      } else {
        expect(endpoint.reset || endpoint.peer->sent == holder.received,
               "the end comes after all bytes", holder);
      }
      return;
    case Event::written:
      expect(second > 0 && static_cast<std::uint32_t>(second) <= holder.awaited,
             "each awaited write is answered once", holder);
      holder.awaited -= static_cast<std::uint32_t>(second);
      if (first == 0) return;
      [[fallthrough]];
    case Event::send_failed:
      expect(!holder.send_over || event == Event::written, "the sending direction fails once",
             holder);
      expect(endpoint.disturbed || endpoint.reset, "sending fails for a reason", holder);
      holder.send_over = true;
      return;
    case Event::shut_down:
      expect(holder.shutdown_asked && !holder.shutdown_answered, "a half-close is answered once",
             holder);
      holder.shutdown_answered = true;
      return;
    case Event::blocked:
    case Event::unblocked:
      expect(holder.blocked == (event == Event::unblocked), "blocked and unblocked take turns",
             holder);
      holder.blocked = event == Event::blocked;
      return;
    case Event::closed:
      return;
  }
  expect(false, "an event is one of those that there are", holder);
}

}  // namespace soref::faults
