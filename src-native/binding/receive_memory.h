// The memory of receive buffers that JavaScript can have. A large receive is not copied: JavaScript
// gets the memory that it landed in, and the buffer other memory in its place. Owned by the
// environment; JavaScript never sees memory that the kernel may still write to.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/shared_memory.h"

namespace soref::binding {

class ReceiveMemory {
 public:
  // `elsewhere`: the table of the environment's shared memory.
  explicit ReceiveMemory(std::span<std::byte*> elsewhere)
      : elsewhere_(elsewhere), owners_(elsewhere.size()) {}

  // Takes what a buffer lies in, as a Buffer; undefined if that is shared memory, which cannot
  // leave. From then on the buffer has memory that can. The kernel must not have the buffer.
  [[nodiscard]] Napi::Value exchange(Napi::Env env, std::uint32_t buffer) {
    const auto fresh = Napi::Buffer<std::byte>::New(env, core::kReceiveBufferSize);
    if (env.IsExceptionPending()) return {};  // no memory: the caller's exception
    Napi::ObjectReference& owner = owners_[buffer];
    const Napi::Value taken = owner.IsEmpty() ? env.Undefined() : Napi::Value(owner.Value());
    owner = Napi::Persistent(fresh.As<Napi::Object>());
    elsewhere_[buffer] = fresh.Data();
    return taken;
  }

  // The environment ends: nothing is received any more.
  void release() noexcept { owners_.clear(); }

 private:
  std::span<std::byte*> elsewhere_;
  std::vector<Napi::ObjectReference> owners_;  // by buffer; empty for those in shared memory
};

}  // namespace soref::binding
