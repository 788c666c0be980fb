// One Node environment's core: the main thread and every worker has its own, and nothing is shared
// between them. Owns the layers from the engine up to the event queue, and runs the turn: commands
// down, completions up, events out. Made by the addon's start(), ended by Node's clean-up hook.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "base/ledger.h"
#include "binding/command_reader.h"
#include "binding/event_loop.h"
#include "binding/event_queue.h"
#include "binding/shared_memory.h"
#include "engine/engine.h"
#include "host/host_stack.h"
#include "protocol/protocol_switch.h"
#include "socket/socket_layer.h"

namespace soref::binding {

class Environment final : public TurnRunner {
 public:
  // `buffers` are the three ArrayBuffers of SharedMemory; they are kept alive until the end.
  Environment(Napi::Env env, engine::Selection selection, const SharedMemory& memory,
              std::unique_ptr<base::Ledger> ledger, Napi::ObjectReference buffers,
              Napi::FunctionReference deliver);
  ~Environment() override;
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // --- the turn, for EventLoop
  // Before the loop blocks: commands are carried out and what they sent leaves. True if events are
  // waiting, and the loop must not block.
  bool end_turn() noexcept override;
  // After the loop has blocked: completions become events, and JavaScript gets them.
  void begin_turn() noexcept override;
  void acknowledge_wakeup() noexcept override;
  // Descriptors may have become free without our doing: listeners that ran out of them try again.
  void retry_accepts() noexcept override;

  // --- for calls from JavaScript
  // Carries out the commands written so far, so that a call sees what came before it.
  void drain() noexcept;
  // Also lets sockets that are closing end, as far as that takes no waiting: a name that was given
  // up can be bound again.
  void settle() noexcept;
  // Sends what the socket has queued, without waiting for the turn's end. False if some of it could
  // not leave; an event reports it then.
  bool send_now(socket::Socket& socket);
  // Waits until the socket has no operation in flight. It must have been told to quiesce.
  void await_operations(socket::Socket& socket) noexcept;

  [[nodiscard]] socket::SocketLayer& layer() noexcept { return layer_; }
  [[nodiscard]] host::HostStack& stack() noexcept { return stack_; }
  [[nodiscard]] EventQueue& events() noexcept { return events_; }
  [[nodiscard]] const SharedMemory& memory() const noexcept { return memory_; }
  [[nodiscard]] base::Ledger& ledger() noexcept { return *ledger_; }
  [[nodiscard]] EventLoop& loop() noexcept { return *loop_; }

 private:
  static void on_cleanup(napi_async_cleanup_hook_handle handle, void* self) noexcept;
  void shut_down() noexcept;
  bool complete() noexcept;
  void retry_accepts_after_close() noexcept;
  void deliver() noexcept;

  Napi::Env env_;
  SharedMemory memory_;
  Napi::ObjectReference buffers_;
  Napi::FunctionReference deliver_;
  std::unique_ptr<base::Ledger> ledger_;
  host::HostStack stack_;
  protocol::Switch protocols_;
  EventQueue events_;
  socket::SocketLayer layer_;
  CommandReader commands_;
  EventLoop* loop_ = nullptr;  // owns itself: libuv frees handles later than we end
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  std::uint64_t detached_at_retry_ = 0;
};

}  // namespace soref::binding
