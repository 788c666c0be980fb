// What a socket reports, and where the reports go. Declared by the socket layer, implemented by
// core/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "protocol/protocol.h"

namespace soref::socket {

class Socket;

// Names a socket towards JavaScript. A slot is used again, its generation is not, so a stale name
// finds nothing instead of another socket.
struct SocketName {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
};

enum class Event : std::uint8_t {
  connected = 1,   // first: 0 or a negative errno
  connection = 2,  // of a listener: accept() has one
  data = 3,        // first: buffer, second: length
  end = 4,
  receive_failed = 5,  // first: errno
  written = 6,         // first: 0 or errno, second: how many awaited writes
  send_failed = 7,     // first: errno; of bytes that no awaited write covers
  shut_down = 8,       // first: 0 or errno
  blocked = 9,         // bytes wait in the core: further writes are to be awaited
  unblocked = 10,
  closed = 11,         // the socket is no more; the last event of its name
  accept_failed = 12,  // of a listener that will accept no more; first: errno
};

[[nodiscard]] constexpr const char* to_string(Event event) noexcept {
  // An event's number is its place; none has the number 0.
  constexpr std::array<const char*, 13> kNames = {"",
                                                  "connected",
                                                  "connection",
                                                  "data",
                                                  "end",
                                                  "receive failed",
                                                  "written",
                                                  "send failed",
                                                  "shut down",
                                                  "blocked",
                                                  "unblocked",
                                                  "closed",
                                                  "accept failed"};
  return kNames[static_cast<std::size_t>(event)];
}

// Where events go. Declared here, implemented by core/, which queues them: consumer code never
// runs while socket or protocol code is on the stack.
class EventSink {
 public:
  EventSink() = default;
  virtual ~EventSink() = default;
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;

  // Holds a Reference::event of the socket until JavaScript has seen the event.
  virtual void queue(Socket& socket, Event event, std::int32_t first, std::int32_t second) = 0;
  // The farewell of a socket that is already freed.
  virtual void queue_closed(SocketName name) = 0;
  // A chunk that nobody wants any more.
  virtual void discard(protocol::Chunk chunk) = 0;
};

}  // namespace soref::socket
