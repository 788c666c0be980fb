// A protocol on kernel sockets: TCP over IPv4, over IPv6, or Unix sockets, by its address codec.
// Implements the protocol switch's operations with system calls and with the engine.
#pragma once

#include <memory>

#include "host/address_codec.h"
#include "host/control_block.h"
#include "host/host_stack.h"
#include "protocol/protocol.h"

namespace soref::host {

class KernelProtocol final : public protocol::Protocol {
 public:
  KernelProtocol(HostStack& stack, std::unique_ptr<AddressCodec> codec) noexcept
      : stack_(&stack), codec_(std::move(codec)) {}

  const char* name() const noexcept override { return codec_->protocol_name(); }
  int recognizes(int resource) const noexcept override;

  // kernel_protocol.cpp: life, names
  int attach(protocol::Upcalls& socket, protocol::Origin origin,
             protocol::ControlBlock*& block) noexcept override;
  void detach(protocol::ControlBlock& block) noexcept override;
  int bind(protocol::ControlBlock& block, const protocol::Name& name,
           protocol::BindOptions options) noexcept override;
  int listen(protocol::ControlBlock& block, int backlog) noexcept override;
  int connect(protocol::ControlBlock& block, const protocol::Name& name) noexcept override;
  int local_name(protocol::ControlBlock& block, protocol::Name& name) noexcept override;
  int peer_name(protocol::ControlBlock& block, protocol::Name& name) noexcept override;
  bool has_had_peer(protocol::ControlBlock& block) noexcept override;

  // kernel_transfer.cpp: bytes and the end
  int shutdown(protocol::ControlBlock& block) noexcept override;
  void receive(protocol::ControlBlock& block, bool wanted) noexcept override;
  void send(protocol::ControlBlock& block) noexcept override;
  void close(protocol::ControlBlock& block) noexcept override;
  void abort(protocol::ControlBlock& block) noexcept override;
  void quiesce(protocol::ControlBlock& block) noexcept override;
  int release(protocol::ControlBlock& block) noexcept override;
  void discard(int resource) noexcept override;

  // kernel_options.cpp
  int set_option(protocol::ControlBlock& block, protocol::Option option,
                 int value) noexcept override;
  int option(protocol::ControlBlock& block, protocol::Option option) noexcept override;

  // kernel_display.cpp
  int resource(const protocol::ControlBlock& block) const noexcept override;
  std::size_t leaving(const protocol::ControlBlock& block) const noexcept override;
  std::size_t unread(const protocol::ControlBlock& block) const noexcept override;
  std::vector<std::string> operations(const protocol::ControlBlock& block) const override;

 private:
  [[nodiscard]] bool is_tcp() const noexcept { return codec_->domain() != AF_UNIX; }
  void remember_peer(ControlBlock& block) noexcept;
  static void remove_path(const ControlBlock& block) noexcept;
  void leave(ControlBlock& block) noexcept;

  HostStack* stack_;
  std::unique_ptr<AddressCodec> codec_;
};

}  // namespace soref::host
