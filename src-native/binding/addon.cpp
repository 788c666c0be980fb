// The addon's door: `layout`, the shared memory's constants, and start(), which makes this
// environment's core and returns its calls.
#include <napi.h>

#include "binding/calls.h"
#include "binding/environment.h"

namespace soref::binding {

using core::kControlLength;
using core::kReceiveBufferCount;
using core::kReceiveBufferSize;
using core::kTransmitSize;

namespace {

Napi::Object layout(Napi::Env env) {
  Napi::Object out = Napi::Object::New(env);
  const auto set = [&](const char* name, std::uint32_t value) { out.Set(name, value); };
  set("controlLength", kControlLength);
  set("commandsAt", core::kCommandsAt);
  set("commandLength", core::kCommandLength);
  set("commandCapacity", core::kCommandCapacity);
  set("eventsAt", core::kEventsAt);
  set("eventLength", core::kEventLength);
  set("transmitSize", kTransmitSize);
  set("receiveBufferSize", kReceiveBufferSize);
  set("receiveBufferCount", kReceiveBufferCount);
  return out;
}

// JavaScript's view of a part of the memory, which stays for as long as anybody can see it so.
Napi::Value view(Napi::Env env, const std::shared_ptr<core::Memory>& memory,
                 std::span<std::byte> part) {
  using Owner = std::shared_ptr<core::Memory>;
  auto owner = std::make_unique<Owner>(memory);
  const Napi::Value buffer = Napi::ArrayBuffer::New(
      env, part.data(), part.size(), [](Napi::Env, void*, Owner* last) { delete last; },
      owner.get());
  if (!env.IsExceptionPending()) static_cast<void>(owner.release());
  return buffer;
}

// (choice, deliver): an object with the calls, `engine`, `reason`, and the shared memory as
// `control`, `transmit` and `receive`; without `engine` if none of the kind can run here, and
// `reason` says why.
Napi::Value start(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Object calls = Napi::Object::New(env);
  if (!info[0].IsNumber() || !info[1].IsFunction()) {
    Napi::TypeError::New(env, "start(choice, deliver)").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const auto memory = std::make_shared<core::Memory>();
  calls.Set("control", view(env, memory, memory->control()));
  calls.Set("transmit", view(env, memory, memory->transmit()));
  calls.Set("receive", view(env, memory, memory->receive()));
  if (env.IsExceptionPending()) {
    // Where V8 keeps all memory of ArrayBuffers in a cage, an addon can give it none.
    calls.Set("reason", env.GetAndClearPendingException().Message());
    return calls;
  }
  auto ledger = std::make_unique<base::Ledger>();
  engine::Selection selection = engine::make_engine(
      static_cast<engine::Choice>(info[0].As<Napi::Number>().Uint32Value()),
      {memory->receive().data(), core::kReceiveBufferSize, core::kReceiveBufferCount}, *ledger);
  calls.Set("reason", selection.reason);
  if (selection.engine == nullptr) return calls;
  calls.Set("engine", selection.engine->name());
  auto* environment = new Environment(env, std::move(selection.engine), memory, std::move(ledger),
                                      Napi::Persistent(info[1].As<Napi::Function>()));
  define_calls(env, calls, *environment);
  define_reports(env, calls, *environment);
  return calls;
}

// (): whether io_uring could serve here, as lib/core/addon.ts describes it.
Napi::Value probe_io_uring(const Napi::CallbackInfo& info) {
  const engine::UringAvailability found = engine::io_uring_availability();
  Napi::Object out = Napi::Object::New(info.Env());
  out.Set("built", found.built);
  out.Set("mode", found.mode);
  out.Set("errno", found.error);
  out.Set("reason", found.reason);
  return out;
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("layout", layout(env));
  exports.Set("probeIoUring", Napi::Function::New(env, probe_io_uring, "probeIoUring"));
  exports.Set("start", Napi::Function::New(env, start, "start"));
  return exports;
}

}  // namespace

}  // namespace soref::binding

static Napi::Object initialize_soref(Napi::Env env, Napi::Object exports) {
  return soref::binding::initialize(env, exports);
}

NODE_API_MODULE(soref, initialize_soref)
