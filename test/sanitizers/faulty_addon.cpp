// An addon whose every function has a fault of one kind. The tests under AddressSanitizer load it
// first, built as soref's addon is, and require that each fault is reported: a sanitizer that is
// not there, or whose findings somebody suppresses, cannot pass for a clean run.
#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

namespace {

// The compiler must neither see through a fault nor leave out what has no use.
template <typename Value>
Value* opaque(Value* pointer) {
  asm volatile("" : "+r"(pointer) : : "memory");
  return pointer;
}

Napi::Value leak(const Napi::CallbackInfo& info) {
  opaque(new std::int64_t(1));
  return info.Env().Undefined();
}

// What the C++ library allocates for us is ours too.
Napi::Value leak_text(const Napi::CallbackInfo& info) {
  opaque(new std::string(1000, 'x'));
  return info.Env().Undefined();
}

Napi::Value read_beyond(const Napi::CallbackInfo& info) {
  const auto memory = std::make_unique<std::byte[]>(64);
  return Napi::Number::New(info.Env(), static_cast<double>(opaque(memory.get())[64]));
}

Napi::Value read_freed(const Napi::CallbackInfo& info) {
  auto memory = std::make_unique<int>(1);
  const int* freed = opaque(memory.get());
  memory.reset();
  return Napi::Number::New(info.Env(), *freed);
}

// JavaScript's memory is as well guarded as ours.
Napi::Value read_beyond_buffer(const Napi::CallbackInfo& info) {
  auto buffer = info[0].As<Napi::ArrayBuffer>();
  const auto* bytes = opaque(static_cast<const std::byte*>(buffer.Data()));
  return Napi::Number::New(info.Env(), static_cast<double>(bytes[buffer.ByteLength()]));
}

// What is JavaScript's goes when nothing of JavaScript's holds it, whoever has its address.
const std::byte* held = nullptr;

Napi::Value hold(const Napi::CallbackInfo& info) {
  held = static_cast<const std::byte*>(info[0].As<Napi::ArrayBuffer>().Data());
  return info.Env().Undefined();
}

Napi::Value read_held(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(*opaque(held)));
}

Napi::Value overflow(const Napi::CallbackInfo& info) {
  int largest = std::numeric_limits<int>::max();
  return Napi::Number::New(info.Env(), *opaque(&largest) + 1);
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("leak", Napi::Function::New(env, leak));
  exports.Set("leakText", Napi::Function::New(env, leak_text));
  exports.Set("readBeyond", Napi::Function::New(env, read_beyond));
  exports.Set("readFreed", Napi::Function::New(env, read_freed));
  exports.Set("readBeyondBuffer", Napi::Function::New(env, read_beyond_buffer));
  exports.Set("hold", Napi::Function::New(env, hold));
  exports.Set("readHeld", Napi::Function::New(env, read_held));
  exports.Set("overflow", Napi::Function::New(env, overflow));
  return exports;
}

}  // namespace

NODE_API_MODULE(faulty_addon, initialize)
