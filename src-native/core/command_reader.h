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

  // Carries out everything that was written since the last call; true if there was anything.
  bool drain() noexcept;

 private:
  void execute(std::span<const std::int32_t> command) noexcept;
  void send(socket::Socket& socket, std::span<const std::int32_t> command) noexcept;

  const SharedMemory* memory_;
  socket::SocketLayer* layer_;
};

}  // namespace soref::core
