// One Node environment: the main thread and every worker has its own, and nothing is shared between
// them. Gives its core the loop's points in time, and JavaScript the core's events. Made by the
// addon's start(), ended by Node's clean-up hook.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/event_loop.h"
#include "core/core.h"
#include "core/memory.h"

namespace soref::binding {

class Environment final : public TurnRunner {
 public:
  Environment(Napi::Env env, std::unique_ptr<engine::Engine> engine,
              std::shared_ptr<core::Memory> memory, std::unique_ptr<base::Ledger> ledger,
              Napi::FunctionReference deliver);
  ~Environment() override;
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // --- for EventLoop
  bool end_turn() noexcept override;
  // JavaScript gets what has become of the wait.
  void begin_turn() noexcept override;
  void acknowledge_wakeup() noexcept override;
  void retry_accepts() noexcept override;

  // --- for calls from JavaScript
  [[nodiscard]] core::Core& core() noexcept { return core_; }
  [[nodiscard]] EventLoop& loop() noexcept { return *loop_; }

 private:
  static void on_cleanup(napi_async_cleanup_hook_handle handle, void* self) noexcept;
  // Calls JavaScript's dispatcher once.
  void dispatch() noexcept;

  Napi::Env env_;
  std::shared_ptr<core::Memory> memory_;
  Napi::FunctionReference deliver_;
  core::Core core_;
  EventLoop* loop_ = nullptr;  // owns itself: libuv frees handles later than we end
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
};

}  // namespace soref::binding
