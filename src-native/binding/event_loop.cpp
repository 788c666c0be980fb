// The libuv handles. They never keep the loop alive by themselves, but for the poll handle when
// JavaScript says that sockets do.
#include "binding/event_loop.h"

namespace soref::binding {

EventLoop* EventLoop::of(void* handle) noexcept {
  return static_cast<EventLoop*>(static_cast<uv_handle_t*>(handle)->data);
}

EventLoop::EventLoop(uv_loop_t* loop, TurnRunner& runner, int wakeup_descriptor) noexcept
    : runner_(&runner) {
  uv_prepare_init(loop, &prepare_);
  uv_check_init(loop, &check_);
  uv_idle_init(loop, &idle_);
  uv_poll_init(loop, &poll_, wakeup_descriptor);
  uv_timer_init(loop, &timer_);
  prepare_.data = check_.data = idle_.data = poll_.data = timer_.data = this;

  uv_prepare_start(&prepare_, [](uv_prepare_t* handle) {
    EventLoop* self = of(handle);
    if (self->runner_->end_turn()) {
      uv_idle_start(&self->idle_, [](uv_idle_t*) {});
    } else {
      uv_idle_stop(&self->idle_);
    }
  });
  uv_check_start(&check_, [](uv_check_t* handle) { of(handle)->runner_->begin_turn(); });
  uv_poll_start(&poll_, UV_READABLE,
                [](uv_poll_t* handle, int, int) { of(handle)->runner_->acknowledge_wakeup(); });

  uv_unref(reinterpret_cast<uv_handle_t*>(&prepare_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&check_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&idle_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&timer_));
}

void EventLoop::set_referenced(bool referenced) noexcept {
  auto* handle = reinterpret_cast<uv_handle_t*>(&poll_);
  if (referenced) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void EventLoop::retry_accepts_after(std::uint64_t milliseconds) noexcept {
  if (uv_is_active(reinterpret_cast<uv_handle_t*>(&timer_)) != 0) return;
  uv_timer_start(
      &timer_, [](uv_timer_t* handle) { of(handle)->runner_->retry_accepts(); }, milliseconds, 0);
}

void EventLoop::close(std::function<void()> closed) noexcept {
  closed_ = std::move(closed);
  const auto on_close = [](uv_handle_t* handle) { of(handle)->handle_closed(); };
  uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), on_close);
  uv_close(reinterpret_cast<uv_handle_t*>(&check_), on_close);
  uv_close(reinterpret_cast<uv_handle_t*>(&idle_), on_close);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), on_close);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), on_close);
}

void EventLoop::handle_closed() noexcept {
  if (--open_handles_ > 0) return;
  const auto closed = std::move(closed_);
  delete this;
  closed();
}

}  // namespace soref::binding
