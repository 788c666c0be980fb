// The core in Node: its turn in libuv's loop, its one call into JavaScript, and its end.
#include "binding/environment.h"

namespace soref::binding {

namespace {
// How long a listener that ran out of descriptors waits before it tries again by itself.
constexpr std::uint64_t kAcceptRetryMilliseconds = 50;
}  // namespace

Environment::Environment(Napi::Env env, std::unique_ptr<engine::Engine> engine,
                         std::shared_ptr<core::Memory> memory, std::unique_ptr<base::Ledger> ledger,
                         Napi::FunctionReference deliver)
    : env_(env),
      memory_(std::move(memory)),
      deliver_(std::move(deliver)),
      core_(std::move(engine), memory_->shared(), std::move(ledger)) {
  uv_loop_s* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  loop_ = new EventLoop(loop, *this, core_.engine().wakeup_descriptor());
  napi_add_async_cleanup_hook(env, &Environment::on_cleanup, this, &cleanup_);
}

Environment::~Environment() = default;

bool Environment::end_turn() noexcept {
  const bool has_work = core_.end_turn();
  if (core_.has_paused_accepts()) loop_->retry_accepts_after(kAcceptRetryMilliseconds);
  return has_work;
}

void Environment::begin_turn() noexcept {
  core_.begin_turn();
  if (!core_.has_events()) return;
  Napi::HandleScope scope(env_);
  core_.deliver([this] { dispatch(); });
}

void Environment::acknowledge_wakeup() noexcept { core_.engine().acknowledge_wakeup(); }

// Not in every turn: a listener that tries and fails makes work for the turn after.
void Environment::retry_accepts() noexcept { core_.retry_accepts(); }

void Environment::dispatch() noexcept {
  napi_value result = nullptr;
  // Called on an object of our own: Node enters the domain that it finds as a property there, and
  // the global object may have one of that name which is none.
  const napi_value deliver = deliver_.Value();
  const napi_status status =
      napi_make_callback(env_, nullptr, deliver, deliver, 0, nullptr, &result);
  if (status == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env_, &pending);
  if (!pending) return;
  // A listener threw. That is the process's affair; the other events are still delivered.
  napi_value error = nullptr;
  napi_get_and_clear_last_exception(env_, &error);
  napi_fatal_exception(env_, error);
}

void Environment::on_cleanup(napi_async_cleanup_hook_handle, void* self) noexcept {
  auto* environment = static_cast<Environment*>(self);
  {
    // Pinned buffers are let go.
    Napi::HandleScope scope(environment->env_);
    environment->core_.shut_down();
    environment->deliver_.Reset();
  }
  EventLoop* loop = environment->loop_;
  loop->close([environment] {
    napi_async_cleanup_hook_handle handle = environment->cleanup_;
    delete environment;
    napi_remove_async_cleanup_hook(handle);
  });
}

}  // namespace soref::binding
