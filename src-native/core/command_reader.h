// Reads the turn's commands out of shared memory and carries them out. Trusts nothing it reads:
// the memory is JavaScript's, and garbage in it may cost its writer an error, never the core its
// safety.
#pragma once

#include "core/shared_memory.h"
#include "socket/socket_layer.h"

namespace soref::core {

class CommandReader {
 public:
  CommandReader(const SharedMemory& memory, socket::SocketLayer& layer) noexcept
      : memory_(&memory), layer_(&layer) {}

  // Carries out what was written since the last call. True if it has stopped before a close because
  // other sockets have bytes that were written before it: once they have left, it goes on.
  bool drain() noexcept;

 private:
  // The open socket that a command names; null if there is none.
  [[nodiscard]] socket::Socket* target(std::span<const std::int32_t> command) const noexcept;
  [[nodiscard]] bool must_wait(std::span<const std::int32_t> command) const noexcept;
  void execute(std::span<const std::int32_t> command) noexcept;
  void send(socket::Socket& socket, std::span<const std::int32_t> command) noexcept;

  const SharedMemory* memory_;
  socket::SocketLayer* layer_;
  std::uint32_t at_ = 0;
  std::uint32_t length_ = 0;
  std::uint32_t drains_ = 0;  // what the header says of it is for JavaScript to read
};

}  // namespace soref::core
