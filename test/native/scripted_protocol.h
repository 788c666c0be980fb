// What the socket layer's tests share: a protocol that does what the test says, and a layer of
// sockets on it. No kernel is involved.
#pragma once

#include <cerrno>
#include <memory>

#include "check.h"
#include "recording_sink.h"

namespace soref::socket {

struct ScriptedBlock final : protocol::ControlBlock {
  explicit ScriptedBlock(protocol::Upcalls& owner) : socket(&owner) {}
  protocol::Upcalls* socket;
  protocol::Hold lingering;
  protocol::Hold operation;
};

class ScriptedProtocol : public protocol::Protocol {
 public:
  int attach_error = 0;
  bool lingers = false;
  int attaches = 0, detaches = 0, closes = 0, aborts = 0, discards = 0, shutdowns = 0, sends = 0,
      receives = 0;
  ScriptedBlock* last = nullptr;

  static ScriptedBlock& scripted(protocol::ControlBlock& block) {
    return static_cast<ScriptedBlock&>(block);
  }
  const char* name() const noexcept override { return "scripted"; }
  int recognizes(int) const noexcept override { return 0; }
  int attach(protocol::Upcalls& socket, protocol::Origin,
             protocol::ControlBlock*& block) noexcept override {
    if (attach_error != 0) return attach_error;
    ++attaches;
    last = new ScriptedBlock(socket);
    block = last;
    return 0;
  }
  void detach(protocol::ControlBlock& block) noexcept override {
    ++detaches;
    delete &scripted(block);
  }
  int bind(protocol::ControlBlock&, const protocol::Name&,
           protocol::BindOptions) noexcept override {
    return 0;
  }
  int listen(protocol::ControlBlock& block, int) noexcept override {
    start_operation(scripted(block));
    return 0;
  }
  int connect(protocol::ControlBlock& block, const protocol::Name&) noexcept override {
    start_operation(scripted(block));
    return 0;
  }
  int shutdown(protocol::ControlBlock&) noexcept override {
    ++shutdowns;
    return 0;
  }
  bool receiving = false;
  void receive(protocol::ControlBlock&, bool wanted) noexcept override {
    ++receives;
    receiving = wanted;
  }
  void send(protocol::ControlBlock&) noexcept override { ++sends; }
  void close(protocol::ControlBlock& block) noexcept override {
    ++closes;
    leave(scripted(block));
  }
  void abort(protocol::ControlBlock& block) noexcept override {
    ++aborts;
    leave(scripted(block));
  }
  void quiesce(protocol::ControlBlock& block) noexcept override { leave(scripted(block)); }
  int release(protocol::ControlBlock&) noexcept override { return 7; }
  int local_name(protocol::ControlBlock&, protocol::Name&) noexcept override { return -EINVAL; }
  int peer_name(protocol::ControlBlock&, protocol::Name&) noexcept override { return 0; }
  bool has_had_peer(protocol::ControlBlock&) noexcept override { return true; }
  int set_option(protocol::ControlBlock&, protocol::Option, int) noexcept override { return 0; }
  int option(protocol::ControlBlock&, protocol::Option) noexcept override { return 0; }
  int resource(const protocol::ControlBlock&) const noexcept override { return -1; }
  std::size_t leaving(const protocol::ControlBlock&) const noexcept override { return 0; }
  std::size_t unread(const protocol::ControlBlock&) const noexcept override { return 0; }
  std::vector<std::string> operations(const protocol::ControlBlock&) const override { return {}; }
  void discard(int) noexcept override { ++discards; }

  static void start_operation(ScriptedBlock& block) {
    block.operation =
        protocol::Hold(*block.socket, base::Reference::operation, base::Cause("scripted"));
  }

 private:
  void leave(ScriptedBlock& block) {
    if (!lingers) return;
    block.lingering =
        protocol::Hold(*block.socket, base::Reference::protocol, base::Cause("lingering"));
  }
};

// One environment's sockets, all of the scripted protocol.
struct Fixture {
  base::Ledger ledger;
  protocol::Switch protocols;
  RecordingSink sink;
  ScriptedProtocol* scripted = new ScriptedProtocol;
  std::unique_ptr<SocketLayer> layer;

  Fixture() {
    protocols.add(protocol::Family::tcp4, std::unique_ptr<protocol::Protocol>(scripted));
    layer = std::make_unique<SocketLayer>(protocols, sink, ledger);
  }
  Socket& create(protocol::Origin::Kind kind = protocol::Origin::Kind::fresh) {
    Socket* socket = nullptr;
    CHECK_EQ(layer->create(0, {kind, 3}, socket), 0);
    return *socket;
  }
  void end(Socket& socket) {
    socket.close(false);
    layer->reclaim();
  }
};

}  // namespace soref::socket
