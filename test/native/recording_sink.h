// What the socket layer's tests share: a sink that keeps events as core/ does, with a reference
// of the socket for each, and lets a test deliver them one by one.
#pragma once

#include <deque>
#include <vector>

#include "socket/event_sink.h"
#include "socket/socket_layer.h"

namespace soref::socket {

struct Recorded {
  Event event = Event::closed;
  SocketName name;
  std::int32_t first = 0;
  std::int32_t second = 0;
  Socket* socket = nullptr;
};

class RecordingSink final : public EventSink {
 public:
  void queue(Socket& socket, Event event, std::int32_t first, std::int32_t second) override {
    socket.hold(base::Reference::event, base::Cause(to_string(event)));
    events.push_back({event, socket.name(), first, second, &socket});
  }
  void queue_closed(SocketName name) override { events.push_back({Event::closed, name}); }
  void discard(protocol::Chunk chunk) override { discarded.push_back(chunk); }

  // Takes the oldest event; its reference goes.
  Recorded take() {
    Recorded oldest = events.front();
    events.pop_front();
    if (oldest.socket != nullptr) {
      oldest.socket->drop(base::Reference::event, base::Cause(to_string(oldest.event)));
    }
    return oldest;
  }
  [[nodiscard]] std::size_t count(Event event) const {
    std::size_t found = 0;
    for (const Recorded& recorded : events) found += recorded.event == event ? 1 : 0;
    return found;
  }
  void take_all() {
    while (!events.empty()) take();
  }

  std::deque<Recorded> events;
  std::vector<protocol::Chunk> discarded;
};

}  // namespace soref::socket
