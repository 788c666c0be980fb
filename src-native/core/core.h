// The core of one environment: all layers from the engine up to the event queue, and the turn that
// runs them: commands down, completions up, events out. It knows nothing of Node: binding/ owns it
// and gives it a loop and a receiver of events; tests do the same without JavaScript.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "base/ledger.h"
#include "core/command_reader.h"
#include "core/event_queue.h"
#include "core/shared_memory.h"
#include "engine/engine.h"
#include "host/host_stack.h"
#include "protocol/protocol_switch.h"
#include "socket/socket_layer.h"

namespace soref::core {

class Core {
 public:
  Core(std::unique_ptr<engine::Engine> engine, const SharedMemory& memory,
       std::unique_ptr<base::Ledger> ledger);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // --- the turn
  // Before the loop blocks: commands are carried out and what they sent leaves. True if there is
  // work, and the loop must not block.
  bool end_turn() noexcept;
  // After the loop has blocked: takes what has completed meanwhile, as events.
  void begin_turn() noexcept;
  // Before the process ends, instead: true if the consumers must hear first of bytes that they take
  // for sent. What peers do meanwhile keeps no process.
  [[nodiscard]] bool flush() noexcept;
  [[nodiscard]] bool has_events() const noexcept { return !events_.empty(); }
  // Hands over all events, batch by batch, but of new connections only so many that others do not
  // wait for them; the rest come in the turns that follow. `dispatch` runs the consumers of those
  // between the two event fields of the header, and moves the cursor before each; it may return
  // early, where a consumer threw, and is called again for the rest. It may also deliver, where a
  // consumer runs the loop itself.
  void deliver(const std::function<void()>& dispatch) noexcept;

  // Listeners that ran out of descriptors or memory: whether there are any, and their next try.
  // end_turn() tries by itself when a socket has gone; the owner tries from a timer, since
  // descriptors may become free without our doing.
  [[nodiscard]] bool has_paused_accepts() const noexcept { return stack_.has_paused_accepts(); }
  void retry_accepts() noexcept { stack_.retry_accepts(); }

  // --- for calls, also from within dispatch
  // Carries out the commands written so far, so that a call sees what came before it.
  void drain() noexcept;
  // Also lets sockets that are closing end, as far as that takes no waiting: a name that was given
  // up can be bound again.
  void settle() noexcept;
  // Sends what the socket has queued, as far as the kernel takes it, without waiting for the turn's
  // end.
  void send_now(socket::Socket& socket) noexcept;
  // Ends the socket without ending its connection, and gives its resource away. `head` gets the
  // bytes that were received and that no batch has taken, `tail` those that were not sent.
  using TakeBytes = std::function<void(std::span<const std::byte>)>;
  int release(socket::Socket& socket, const TakeBytes& head, const TakeBytes& tail) noexcept;

  // Environment exit: what was written leaves, every socket is closed, operations are awaited, and
  // the ledger is balanced. Also from within dispatch; nothing but the destructor follows.
  void shut_down() noexcept;

  [[nodiscard]] socket::SocketLayer& layer() noexcept { return layer_; }
  [[nodiscard]] engine::Engine& engine() noexcept { return stack_.engine(); }
  [[nodiscard]] const SharedMemory& memory() const noexcept { return memory_; }
  [[nodiscard]] base::Ledger& ledger() noexcept { return *ledger_; }

 private:
  bool complete() noexcept;
  void send() noexcept;
  void finish_closing() noexcept;
  void retry_accepts_after_close() noexcept;
  // Waits until the socket has no operation in flight. It must have been told to quiesce.
  void await_operations(socket::Socket& socket) noexcept;

  SharedMemory memory_;
  std::unique_ptr<base::Ledger> ledger_;
  host::HostStack stack_;
  protocol::Switch protocols_;
  EventQueue events_;
  socket::SocketLayer layer_;
  CommandReader commands_;
  std::uint64_t detached_at_retry_ = 0;
  std::uint32_t turn_ = 0;
};

}  // namespace soref::core
