// The turn, and the end of an environment.
#include "binding/environment.h"

#include "base/assert.h"

namespace soref::binding {

namespace {
// How long a listener that ran out of descriptors waits before it tries again by itself.
constexpr std::uint64_t kAcceptRetryMilliseconds = 50;
}  // namespace

Environment::Environment(Napi::Env env, engine::Selection selection, const SharedMemory& memory,
                         std::unique_ptr<base::Ledger> ledger, Napi::ObjectReference buffers,
                         Napi::FunctionReference deliver)
    : env_(env),
      memory_(memory),
      buffers_(std::move(buffers)),
      deliver_(std::move(deliver)),
      ledger_(std::move(ledger)),
      stack_(std::move(selection.engine), *ledger_),
      events_(stack_, *ledger_),
      layer_(protocols_, events_, *ledger_),
      commands_(memory_, layer_) {
  stack_.register_protocols(protocols_);
  uv_loop_s* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  loop_ = new EventLoop(loop, *this, stack_.engine().wakeup_descriptor());
  napi_add_async_cleanup_hook(env, &Environment::on_cleanup, this, &cleanup_);
}

Environment::~Environment() = default;

// --- the turn

bool Environment::complete() noexcept {
  bool any = false;
  while (stack_.complete_next()) {
    layer_.reclaim();
    any = true;
  }
  return any;
}

void Environment::drain() noexcept {
  commands_.drain();
  layer_.reclaim();
}

void Environment::retry_accepts_after_close() noexcept {
  if (!stack_.has_paused_accepts()) return;
  if (ledger_->detached != detached_at_retry_) {
    detached_at_retry_ = ledger_->detached;
    stack_.retry_accepts();
  }
}

bool Environment::end_turn() noexcept {
  drain();
  retry_accepts_after_close();
  layer_.flush();
  stack_.engine().submit();
  // A completion may start an operation, which must reach the kernel before the loop blocks. What
  // that completes at once waits for the next turn: a sender that never pauses must not keep us
  // here.
  if (complete()) stack_.engine().submit();
  layer_.report_blocked();
  if (stack_.has_paused_accepts()) loop_->retry_accepts_after(kAcceptRetryMilliseconds);
  return !events_.empty() || stack_.engine().has_work();
}

void Environment::begin_turn() noexcept {
  stack_.engine().reap();
  complete();
  if (!events_.empty()) deliver();
}

void Environment::acknowledge_wakeup() noexcept { stack_.engine().acknowledge_wakeup(); }

// Not in every turn: a listener that tries and fails makes work for the turn after.
void Environment::retry_accepts() noexcept { stack_.retry_accepts(); }

void Environment::deliver() noexcept {
  Napi::HandleScope scope(env_);
  while (events_.fill(memory_, layer_) > 0) {
    std::int32_t& cursor = memory_.header(Header::event_cursor);
    while (cursor < memory_.header(Header::event_count)) {
      const std::int32_t before = cursor;
      napi_value result = nullptr;
      const napi_status status =
          napi_make_callback(env_, nullptr, env_.Global(), deliver_.Value(), 0, nullptr, &result);
      if (status == napi_ok) continue;
      bool pending = false;
      napi_is_exception_pending(env_, &pending);
      if (pending) {
        // A listener threw. That is the process's affair; the other events are still delivered.
        napi_value error = nullptr;
        napi_get_and_clear_last_exception(env_, &error);
        napi_fatal_exception(env_, error);
      }
      // No progress: JavaScript cannot run any more, the environment is ending.
      if (cursor == before) break;
    }
    events_.settle(layer_);
    layer_.reclaim();
  }
}

// --- calls

void Environment::settle() noexcept {
  drain();
  // No further than that: other sockets' completions have their turn later.
  while (layer_.closing() > 0) {
    stack_.engine().submit();
    if (!complete()) break;
  }
}

bool Environment::send_now(socket::Socket& socket) {
  socket.flush();
  complete();
  return !socket.notify_when_drained();
}

void Environment::await_operations(socket::Socket& socket) noexcept {
  while (socket.references(base::Reference::operation) > 0) {
    stack_.engine().submit();
    if (!complete()) stack_.engine().wait(1000);
  }
}

// --- the end

void Environment::on_cleanup(napi_async_cleanup_hook_handle, void* self) noexcept {
  auto* environment = static_cast<Environment*>(self);
  environment->shut_down();
  EventLoop* loop = environment->loop_;
  loop->close([environment] {
    napi_async_cleanup_hook_handle handle = environment->cleanup_;
    delete environment;
    napi_remove_async_cleanup_hook(handle);
  });
}

void Environment::shut_down() noexcept {
  Napi::HandleScope scope(env_);
  // What was written before the end still leaves.
  drain();
  layer_.flush();
  stack_.engine().submit();
  complete();
  layer_.close_all();
  for (;;) {
    events_.discard_all(layer_);
    layer_.reclaim();
    events_.discard_all(layer_);
    if (layer_.live() == 0) break;
    stack_.engine().submit();
    if (!complete()) stack_.engine().wait(1000);
  }
  SOREF_ASSERT(ledger_->descriptors == 0, "no descriptor outlives its environment");
  SOREF_ASSERT(ledger_->operations_submitted == ledger_->operations_completed,
               "no operation outlives its environment");
  SOREF_ASSERT(ledger_->pinned_buffers == 0, "no buffer stays pinned after its environment");
  deliver_.Reset();
}

}  // namespace soref::binding
