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

template <typename Element>
std::span<Element> view(const Napi::Value& buffer) {
  auto memory = buffer.As<Napi::ArrayBuffer>();
  return {static_cast<Element*>(memory.Data()), memory.ByteLength() / sizeof(Element)};
}

// (choice, control, transmit, receive, deliver): an object with the calls, `engine` and `reason`;
// without `engine` if the one asked for cannot run, and `reason` says why.
Napi::Value start(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto choice = static_cast<engine::Choice>(info[0].As<Napi::Number>().Uint32Value());
  const core::SharedMemory memory{.control = view<std::int32_t>(info[1]),
                                  .transmit = view<const std::byte>(info[2]),
                                  .receive = view<std::byte>(info[3])};
  if (memory.control.size() < kControlLength || memory.transmit.size() < kTransmitSize ||
      memory.receive.size() < std::size_t{kReceiveBufferSize} * kReceiveBufferCount) {
    Napi::RangeError::New(env, "soref: shared memory is too small").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  auto ledger = std::make_unique<base::Ledger>();
  engine::Selection selection = engine::make_engine(
      choice, {memory.receive.data(), kReceiveBufferSize, kReceiveBufferCount}, *ledger);
  Napi::Object calls = Napi::Object::New(env);
  calls.Set("reason", selection.reason);
  if (selection.engine == nullptr) return calls;
  calls.Set("engine", selection.engine->name());

  Napi::Array buffers = Napi::Array::New(env, 3);
  for (std::uint32_t index = 0; index < 3; ++index) buffers.Set(index, info[index + 1]);
  auto* environment = new Environment(env, std::move(selection.engine), memory, std::move(ledger),
                                      Napi::Persistent(buffers.As<Napi::Object>()),
                                      Napi::Persistent(info[4].As<Napi::Function>()));
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
