// Owns the memory that JavaScript and the core share. binding/ holds it for the core and for each
// ArrayBuffer that shows it; it is freed when the last of them lets go. So the kernel, which writes
// received bytes there, never writes into what is somebody else's by now, also where JavaScript has
// transferred an ArrayBuffer away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "base/assert.h"
#include "core/shared_memory.h"

namespace soref::core {

class Memory {
 public:
  Memory() noexcept
      : control_(allocate(kControlLength * sizeof(std::int32_t))),
        transmit_(allocate(kTransmitSize)),
        receive_(allocate(kReceiveSize)) {}

  [[nodiscard]] std::span<std::byte> control() const noexcept {
    return {control_.get(), kControlLength * sizeof(std::int32_t)};
  }
  [[nodiscard]] std::span<std::byte> transmit() const noexcept {
    return {transmit_.get(), kTransmitSize};
  }
  [[nodiscard]] std::span<std::byte> receive() const noexcept {
    return {receive_.get(), kReceiveSize};
  }
  [[nodiscard]] SharedMemory shared() const noexcept {
    return {.control = {reinterpret_cast<std::int32_t*>(control_.get()), kControlLength},
            .transmit = transmit(),
            .receive = receive()};
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept { std::free(memory); }
  };
  using Allocation = std::unique_ptr<std::byte[], Free>;

  static constexpr std::size_t kReceiveSize = std::size_t{kReceiveBufferSize} * kReceiveBufferCount;

  // Zero, and so far without pages of its own. Like an operator new that fails, a calloc that does
  // ends the process.
  static Allocation allocate(std::size_t size) noexcept {
    auto* memory = static_cast<std::byte*>(std::calloc(1, size));
    SOREF_ASSERT(memory != nullptr, "there is memory to share");
    return Allocation(memory);
  }

  Allocation control_;
  Allocation transmit_;
  Allocation receive_;
};

}  // namespace soref::core
