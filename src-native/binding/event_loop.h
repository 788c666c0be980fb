// soref's place in libuv's loop: one prepare handle before it blocks, one check handle after, a
// poll handle on the engine's wake-up descriptor, an idle handle that keeps it from blocking while
// events wait, and a timer for listeners that ran out of descriptors.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>

namespace soref::binding {

// What runs at those points. Implemented by Environment.
class TurnRunner {
 public:
  TurnRunner() = default;
  virtual ~TurnRunner() = default;
  TurnRunner(const TurnRunner&) = delete;
  TurnRunner& operator=(const TurnRunner&) = delete;

  virtual bool end_turn() noexcept = 0;
  virtual void begin_turn() noexcept = 0;
  virtual void acknowledge_wakeup() noexcept = 0;
  virtual void retry_accepts() noexcept = 0;
};

class EventLoop {
 public:
  EventLoop(uv_loop_t* loop, TurnRunner& runner, int wakeup_descriptor) noexcept;

  // Whether sockets keep the process alive. Off at the start.
  void set_referenced(bool referenced) noexcept;
  // Has accepting tried again after `milliseconds`, if that is not arranged already.
  void retry_accepts_after(std::uint64_t milliseconds) noexcept;
  // Stops everything at once; `closed` runs when libuv has let go, and this object is gone then.
  void close(std::function<void()> closed) noexcept;

 private:
  ~EventLoop() = default;
  static EventLoop* of(void* handle) noexcept;
  void handle_closed() noexcept;

  TurnRunner* runner_;
  std::function<void()> closed_;
  int open_handles_ = 5;
  uv_prepare_t prepare_;
  uv_check_t check_;
  uv_idle_t idle_;
  uv_poll_t poll_;
  uv_timer_t timer_;
};

}  // namespace soref::binding
