// The one control block of all kernel sockets: descriptor, engine channel, what is wanted of them.
// Made by KernelProtocol::attach, destroyed by its detach, before which the descriptor has gone.
// Operations in flight hold the socket, so a control block is never destroyed under the kernel.
#pragma once

#include <netinet/in.h>

#include <memory>
#include <string>

#include "base/descriptor.h"
#include "engine/engine.h"
#include "protocol/protocol.h"

namespace soref::host {

struct ControlBlock final : protocol::ControlBlock {
  ControlBlock(protocol::Upcalls& owner, base::Descriptor opened) noexcept
      : socket(&owner), descriptor(std::move(opened)) {
    channel.descriptor = descriptor.number();
    channel.owner = this;
    channel.subject = socket;
  }

  // Somebody else has closed the descriptor.
  [[nodiscard]] bool lost() const noexcept { return channel.descriptor < 0; }

  protocol::Upcalls* socket;
  base::Descriptor descriptor;
  engine::Channel channel;
  protocol::Hold reading;  // Reference::operation while channel's read operation is in flight
  protocol::Hold writing;  // likewise for the write operation
  std::unique_ptr<const std::string> bound_path;  // made by this socket, which must remove it
  // Of a TCP socket's peer, of either family. Remembered as the kernel has it when reading starts,
  // since a peer that has left has no name; AF_UNSPEC before.
  sockaddr_in6 peer{};
  int bind_error = 0;        // reported by local_name, listen and connect, as users of net expect
  bool engine_mode = false;  // the descriptor has the blocking mode that the engine wants
  bool receive_wanted = false;
  bool listening = false;
  bool leaving = false;    // close, abort or quiesce has been called: nothing starts any more
  bool left = false;       // close or abort has been called
  bool forgotten = false;  // the engine's work with the channel is over
};

// The control block of a socket that KernelProtocol attached.
[[nodiscard]] inline ControlBlock& kernel(protocol::ControlBlock& block) noexcept {
  return static_cast<ControlBlock&>(block);
}
[[nodiscard]] inline const ControlBlock& kernel(const protocol::ControlBlock& block) noexcept {
  return static_cast<const ControlBlock&>(block);
}

}  // namespace soref::host
