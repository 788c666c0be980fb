// Events on their way to JavaScript. Sockets append; Environment::deliver() moves them into shared
// memory batch by batch. Each event holds a Reference::event of its socket until JavaScript has
// seen it, and each data event owns its receive buffer until then. What listeners report waits
// apart from the rest: a storm of new connections must not keep those that are established waiting.
// So does the end of a connection that comes together with its last bytes: what others have got by
// then is told before it, as it is in Node, which sees an end when it asks again. A relay between
// two peers that say goodbye at once can so pass both their last words on.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "core/shared_memory.h"
#include "host/host_stack.h"
#include "socket/event_sink.h"
#include "socket/socket.h"
#include "socket/socket_layer.h"

namespace soref::core {

class EventQueue final : public socket::EventSink {
 public:
  EventQueue(host::HostStack& stack, base::Ledger& ledger) noexcept
      : stack_(&stack), ledger_(&ledger) {}

  void queue(socket::Socket& socket, socket::Event event, std::int32_t first,
             std::int32_t second) override;
  void queue_closed(socket::SocketName name) override;
  void discard(protocol::Chunk chunk) override;

  // Nothing waits, and nothing is being looked at.
  [[nodiscard]] bool empty() const noexcept {
    return next_ == records_.size() && arrivals_.empty() && ends_.empty() && batch_.empty();
  }
  // Whether something waits to be told that keeps a process from ending: bytes that were taken for
  // sent have not left, or will not.
  [[nodiscard]] bool tells_of_unsent() const noexcept;
  // To be called once a turn, before its batches: lets in as many arrivals as it may have.
  void admit_arrivals();
  // To be called once a turn, before its arrivals: the ends that had to wait are let in.
  void admit_ends();
  // Writes the next batch into shared memory; the number of events in it. Connections are accepted
  // here: an event names the child that JavaScript holds from now on.
  [[nodiscard]] std::uint32_t fill(const SharedMemory& memory, socket::SocketLayer& layer) noexcept;
  // Events in the batch that JavaScript is looking at. What shared memory says of it is for
  // JavaScript to read.
  [[nodiscard]] std::size_t batch_size() const noexcept { return batch_.size(); }
  // JavaScript has seen the batch: its references and buffers go, and the slots of the sockets
  // whose farewell it was are free.
  void settle(socket::SocketLayer& layer) noexcept;
  // Takes the data events of one socket out of the queue; their buffers become the caller's.
  [[nodiscard]] std::vector<protocol::Chunk> take_data(const socket::Socket& socket);
  // Environment exit: nobody is left to see anything.
  void discard_all(socket::SocketLayer& layer) noexcept;

 private:
  struct Record {
    socket::Socket* socket = nullptr;  // null for the farewell of a freed socket
    socket::SocketName name;
    socket::Event event = socket::Event::closed;
    std::int32_t first = 0;
    std::int32_t second = 0;
  };
  // Whether an event of that name waits or is being delivered.
  [[nodiscard]] bool names(socket::SocketName name) const noexcept;
  // Whether one more arrival may keep its place among the records.
  [[nodiscard]] bool take_place() noexcept;
  void release(const Record& record, socket::SocketLayer& layer) noexcept;

  host::HostStack* stack_;
  base::Ledger* ledger_;
  std::vector<Record> records_;
  std::size_t next_ = 0;         // the first record that no batch has taken
  std::size_t in_place_ = 0;     // arrivals of this turn that are among the records already
  std::deque<Record> arrivals_;  // those beyond, until they are let in
  std::vector<Record> ends_;     // this turn's, of sockets with something to tell before
  std::vector<Record> batch_;    // what JavaScript is looking at
};

}  // namespace soref::core
