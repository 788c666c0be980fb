// What a kernel socket shows of itself: its descriptor, bytes on their way, operations in flight.
#include <sys/ioctl.h>

#include "engine/channel_report.h"
#include "engine/pending_send.h"
#include "host/kernel_protocol.h"

namespace soref::host {

int KernelProtocol::resource(const protocol::ControlBlock& block) const noexcept {
  return kernel(block).descriptor.number();
}

std::size_t KernelProtocol::leaving(const protocol::ControlBlock& block) const noexcept {
  const engine::PendingSend* pending = kernel(block).channel.pending_send;
  return pending == nullptr ? 0 : pending->sent;
}

std::size_t KernelProtocol::unread(const protocol::ControlBlock& block) const noexcept {
  int bytes = 0;
  const int descriptor = kernel(block).descriptor.number();
  // A listener and a socket that was never connected have no bytes to tell of.
  return ::ioctl(descriptor, FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

std::vector<std::string> KernelProtocol::operations(const protocol::ControlBlock& block) const {
  const engine::Channel& channel = kernel(block).channel;
  std::vector<std::string> running;
  const auto add = [&](engine::Kind kind, engine::OperationState state) {
    if (state == engine::OperationState::idle) return;
    running.push_back(std::string(to_string(kind)) + " " + to_string(state));
  };
  add(channel.read_kind, channel.read_state);
  add(channel.write_kind, channel.write_state);
  return running;
}

}  // namespace soref::host
