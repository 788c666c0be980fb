// The protocol switch's two interfaces: what a protocol offers to the socket layer (Protocol), and
// what it tells a socket (Upcalls). The socket layer calls Protocol; host/ implements it, and so
// would any protocol that has no kernel descriptor at all. Nothing here knows what a descriptor is:
// a connection that comes from outside is a `resource` number that only its protocol understands.
//
// Rules of the switch, for every protocol:
//  - attach() either returns 0 and a control block, or a negative errno and nothing was attached.
//  - detach() is called exactly once for every control block, last, and cannot fail.
//  - exactly one of close() and abort() comes before detach(): the last consumer leaves. A control
//    block which still has work then holds its socket with Reference::protocol or ::operation.
//  - an upcall only queues an event or changes the socket's state. It never runs consumer code and
//    never frees the socket, so a protocol may go on after it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/reference.h"
#include "protocol/send_queue.h"

namespace soref::protocol {

// What a protocol keeps per socket. Opaque to the socket layer; non-null from attach to detach.
class ControlBlock {
 public:
  ControlBlock(const ControlBlock&) = delete;
  ControlBlock& operator=(const ControlBlock&) = delete;

 protected:
  ControlBlock() noexcept = default;
  ~ControlBlock() = default;
};

// An address in text, as the user writes and reads it. `family` is 4, 6 or 0 (a local path).
struct Name {
  std::string address;
  std::uint16_t port = 0;
  std::uint8_t family = 0;
};

struct BindOptions {
  bool ipv6_only = false;
  bool reuse_port = false;
};

// Received bytes in the environment's pool: a place and a length. Whoever gets a chunk owns it
// until it is given back.
struct Chunk {
  std::uint32_t buffer = 0;
  std::uint32_t length = 0;
};

// Where a socket comes from: new, an incoming connection, or a resource handed in from outside.
struct Origin {
  enum class Kind : std::uint8_t { fresh, incoming, external } kind = Kind::fresh;
  int resource = -1;
};

enum class Option : std::uint8_t {
  no_delay,             // 0 or 1
  keep_alive,           // 0 or 1
  keep_alive_delay,     // seconds before the first probe
  keep_alive_interval,  // seconds between probes
  keep_alive_count,     // probes
  type_of_service,      // 0 to 255
  reset_on_close,       // 0 or 1: linger on, time 0
  path_mode,            // permission bits of a listening path
};
inline constexpr std::uint8_t kOptionCount = 8;

// What a protocol tells its socket. Implemented by socket::Socket, which describes itself.
class Upcalls : public base::Subject {
 public:
  Upcalls(const Upcalls&) = delete;
  Upcalls& operator=(const Upcalls&) = delete;

  virtual void hold(base::Reference tag, base::Cause cause) noexcept = 0;
  virtual void drop(base::Reference tag, base::Cause cause) noexcept = 0;

  // A connect that was under way has ended: 0 or a negative errno.
  virtual void connected(int error) noexcept = 0;
  // A listener has a new connection. The socket layer owns the resource from here.
  virtual void incoming(int resource) noexcept = 0;
  // The listener cannot accept any more. A lack of descriptors or memory is no such failure.
  virtual void incoming_failed(int error) noexcept = 0;
  virtual void received(Chunk chunk) noexcept = 0;
  virtual void received_end() noexcept = 0;
  virtual void receive_failed(int error) noexcept = 0;
  // The bytes on their way out; owned by the socket.
  virtual SendQueue& outgoing() noexcept = 0;
  // `bytes` of outgoing() have left. The protocol calls nothing of the queue's own for that.
  virtual void sent(std::size_t bytes) noexcept = 0;
  virtual void send_failed(int error) noexcept = 0;

 protected:
  Upcalls() noexcept = default;
  ~Upcalls() = default;
};

// One tagged reference to a socket, held by a control block for one cause.
class Hold {
 public:
  Hold() noexcept = default;
  Hold(Upcalls& socket, base::Reference tag, base::Cause cause) noexcept
      : socket_(&socket), tag_(tag), cause_(cause) {
    socket.hold(tag, cause);
  }
  Hold(Hold&& other) noexcept
      : socket_(std::exchange(other.socket_, nullptr)), tag_(other.tag_), cause_(other.cause_) {}
  Hold& operator=(Hold&& other) noexcept {
    if (this != &other) {
      reset();
      socket_ = std::exchange(other.socket_, nullptr);
      tag_ = other.tag_;
      cause_ = other.cause_;
    }
    return *this;
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  ~Hold() { reset(); }

  [[nodiscard]] bool held() const noexcept { return socket_ != nullptr; }

  void reset() noexcept {
    if (socket_ != nullptr) std::exchange(socket_, nullptr)->drop(tag_, cause_);
  }

 private:
  Upcalls* socket_ = nullptr;
  base::Reference tag_ = base::Reference::protocol;
  [[no_unique_address]] base::Cause cause_{""};
};

// The operations of one protocol. All errors are negative errno values.
class Protocol {
 public:
  Protocol() = default;
  virtual ~Protocol() = default;
  Protocol(const Protocol&) = delete;
  Protocol& operator=(const Protocol&) = delete;

  // "tcp4", "tcp6", "unix": the row name in sockstat.
  [[nodiscard]] virtual const char* name() const noexcept = 0;
  // Whether an outside resource is of this protocol: 0, or -EAFNOSUPPORT if it is another's, or
  // what is wrong with it (-EBADF, -ENOTSOCK, -EINVAL).
  [[nodiscard]] virtual int recognizes(int resource) const noexcept = 0;

  [[nodiscard]] virtual int attach(Upcalls& socket, Origin origin,
                                   ControlBlock*& block) noexcept = 0;
  virtual void detach(ControlBlock& block) noexcept = 0;

  [[nodiscard]] virtual int bind(ControlBlock& block, const Name& name,
                                 BindOptions options) noexcept = 0;
  [[nodiscard]] virtual int listen(ControlBlock& block, int backlog) noexcept = 0;
  // 0: connected() follows, later. An error at once calls nothing.
  [[nodiscard]] virtual int connect(ControlBlock& block, const Name& name) noexcept = 0;
  // Ends the sending direction; everything in outgoing() has left before.
  [[nodiscard]] virtual int shutdown(ControlBlock& block) noexcept = 0;
  // Read credit: whether the socket wants bytes. received() may still be called for what had
  // arrived before credit was withdrawn.
  virtual void receive(ControlBlock& block, bool wanted) noexcept = 0;
  // outgoing() has bytes.
  virtual void send(ControlBlock& block) noexcept = 0;

  // The last consumer leaves: what can be sent without waiting is sent, the rest is dropped.
  virtual void close(ControlBlock& block) noexcept = 0;
  // As close, of a connection that nobody accepted or that is to be reset: it ends by a reset.
  virtual void abort(ControlBlock& block) noexcept = 0;
  // Operations end, as for close, but the connection lives on: once the socket's operations are
  // done, release() gives its resource away. close() or detach() follow as ever.
  virtual void quiesce(ControlBlock& block) noexcept = 0;
  [[nodiscard]] virtual int release(ControlBlock& block) noexcept = 0;

  [[nodiscard]] virtual int local_name(ControlBlock& block, Name& name) noexcept = 0;
  [[nodiscard]] virtual int peer_name(ControlBlock& block, Name& name) noexcept = 0;
  // Whether there is or was a peer. One that is gone may have left bytes, but no name.
  [[nodiscard]] virtual bool has_had_peer(ControlBlock& block) noexcept = 0;
  [[nodiscard]] virtual int set_option(ControlBlock& block, Option option, int value) noexcept = 0;
  // The value, or a negative errno.
  [[nodiscard]] virtual int option(ControlBlock& block, Option option) noexcept = 0;
  // The number that names the resource outside (a descriptor), or -1. For display and `fd`.
  [[nodiscard]] virtual int resource(const ControlBlock& block) const noexcept = 0;
  // Bytes at the front of outgoing() that have left, though sent() was not called for them yet:
  // their operation goes on.
  [[nodiscard]] virtual std::size_t leaving(const ControlBlock& block) const noexcept = 0;
  // For display: bytes that have arrived and that were not handed up yet.
  [[nodiscard]] virtual std::size_t unread(const ControlBlock& block) const noexcept = 0;
  // For display: the operations in flight, each in two words: "receive cancelling".
  [[nodiscard]] virtual std::vector<std::string> operations(const ControlBlock& block) const = 0;
  // Closes a resource that never came to be attached.
  virtual void discard(int resource) noexcept = 0;
};

}  // namespace soref::protocol
