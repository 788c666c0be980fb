// A socket: its life, its sole reference count, its connection state and its control block.
//
// Who may call what. core/ and binding/ call the so* commands (connect, send, close, ...) through
// SocketLayer, on sockets that it found by slot and generation. A protocol calls the upcalls. Both
// run on the environment's one thread. A socket whose count reaches zero is not freed on the spot:
// it goes onto the layer's list of the unreferenced, and SocketLayer::reclaim(), which no socket or
// protocol code calls, detaches and frees it. So no function of a socket or of its control block
// ever has to ask whether the socket is still there.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/reference.h"
#include "protocol/protocol.h"
#include "socket/accept_queue.h"
#include "socket/event_sink.h"
#include "socket/reference_log.h"
#include "socket/socket_state.h"

namespace soref::socket {

class SocketLayer;

class Socket final : public protocol::Upcalls {
 public:
  Socket(SocketLayer& layer, protocol::Protocol& protocol, SocketName name) noexcept;
  ~Socket();

  // --- commands, for SocketLayer, core/ and binding/
  [[nodiscard]] int bind(const protocol::Name& name, protocol::BindOptions options) noexcept;
  [[nodiscard]] int listen(int backlog) noexcept;
  [[nodiscard]] int connect(const protocol::Name& name) noexcept;
  // Starts or stops receiving, at the end of the turn.
  void receive(bool wanted);
  void send_copy(std::span<const std::byte> bytes, bool notify);
  void send_pinned(std::span<const std::byte> bytes, std::unique_ptr<protocol::Pin> pin);
  // Asks for one Event::written once everything sent so far has left, or cannot; false if it has
  // left already.
  [[nodiscard]] bool notify_when_drained();
  // Half-close: the end of the stream goes out after everything that was sent before.
  void shutdown() noexcept;
  // The consumer leaves. `reset` breaks the connection instead of ending it.
  void close(bool reset) noexcept;
  // Ends the operations in flight so that release() can give the resource away.
  void quiesce() noexcept;
  [[nodiscard]] int release() noexcept;
  // Hands what was sent during the turn to the protocol. Called once per turn by SocketLayer.
  void flush() noexcept;
  void report_blocked() noexcept;
  // Carries out the last receive() of the turn. Called once per turn by SocketLayer.
  void update_receiving() noexcept;
  // Accepts the oldest queued connection; null if none is left.
  [[nodiscard]] Socket* accept() noexcept;

  // --- upcalls, for protocols
  void hold(base::Reference tag, base::Cause cause) noexcept override;
  void drop(base::Reference tag, base::Cause cause) noexcept override;
  void connected(int error) noexcept override;
  void incoming(int resource) noexcept override;
  void incoming_failed(int error) noexcept override;
  void received(protocol::Chunk chunk) noexcept override;
  void received_end() noexcept override;
  void receive_failed(int error) noexcept override;
  protocol::SendQueue& outgoing() noexcept override { return outgoing_; }
  void sent(std::size_t bytes) noexcept override;
  void send_failed(int error) noexcept override;

  // --- what it is
  [[nodiscard]] SocketName name() const noexcept { return name_; }
  [[nodiscard]] Life life() const noexcept { return life_; }
  [[nodiscard]] Connection connection() const noexcept { return connection_; }
  [[nodiscard]] protocol::Protocol& protocol() const noexcept { return *protocol_; }
  [[nodiscard]] protocol::ControlBlock& control_block() const noexcept;
  // Bytes of outgoing() that have not left. While a large write is on its way they become fewer
  // before outgoing() does, which keeps each piece until the operation that sends it has ended.
  [[nodiscard]] std::size_t unsent() const noexcept;
  [[nodiscard]] std::uint32_t references() const noexcept { return total_; }
  [[nodiscard]] std::uint32_t references(base::Reference tag) const noexcept {
    return by_tag_[static_cast<std::size_t>(tag)];
  }
  [[nodiscard]] const ReferenceLog& log() const noexcept { return log_; }
  [[nodiscard]] std::uint64_t created_at() const noexcept { return created_at_; }
  [[nodiscard]] bool cant_send() const noexcept { return cant_send_; }
  [[nodiscard]] bool cant_receive() const noexcept { return cant_receive_; }
  [[nodiscard]] std::size_t queued_connections() const noexcept;
  // One line: name, protocol, states, references by tag. Below it the log, where there is one.
  [[nodiscard]] std::string describe() const override;

 private:
  friend class SocketLayer;  // socket_lifecycle: attach, detach and the unreferenced list

  void set_life(Life next) noexcept;
  void set_connection(Connection next) noexcept;
  void set_cant_send() noexcept { cant_send_ = true; }
  void set_cant_receive() noexcept { cant_receive_ = true; }
  void count_changed(base::Reference tag, bool taken, base::Cause cause) noexcept;
  // Ends the sending direction once that was asked for and nothing is left to send.
  void shutdown_if_drained() noexcept;
  void want_flush();
  void report(Event event, std::int32_t first = 0, std::int32_t second = 0) noexcept;
  // The last consumer leaves: close or abort, of which a socket's life allows one. The one place
  // that calls a protocol's close and abort.
  void leave(bool reset) noexcept;
  void abort_queued() noexcept;

  SocketLayer* layer_;
  protocol::Protocol* protocol_;
  protocol::ControlBlock* block_ = nullptr;
  std::unique_ptr<AcceptQueue> accept_queue_;  // of a listener only
  protocol::SendQueue outgoing_;
  std::uint64_t created_at_;  // milliseconds, monotonic
  SocketName name_;

  std::uint32_t total_ = 0;  // the count: the sum of by_tag_
  std::array<std::uint32_t, base::kReferenceTags> by_tag_{};
  [[no_unique_address]] ReferenceLog log_;
  Socket* next_unreferenced_ = nullptr;

  Life life_ = Life::allocated;
  Connection connection_ = Connection::idle;
  bool cant_send_ = false;
  bool cant_receive_ = false;
  bool receive_wanted_ = false;  // read credit, which may be given before the connection stands
  bool receive_changed_ = false;
  bool shutdown_wanted_ = false;
  bool flush_wanted_ = false;
  bool blocked_ = false;           // JavaScript was told that outgoing() did not leave at once
  bool write_unfinished_ = false;  // send_pinned() was called, and notify_when_drained() will be
  int write_error_ = -EPIPE;       // what a write hears that was sent in vain
};

}  // namespace soref::socket
