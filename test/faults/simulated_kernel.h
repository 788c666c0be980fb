// A kernel in memory, as far as sockets need one: descriptors, names, listeners with a backlog, and
// byte streams of limited capacity between two endpoints. What fails is up to a fault plan, how
// many bytes a call moves is up to choices, and time is a number that the test advances.
//
// A byte's value follows from its stream and its position, so a stream is two counters, and a byte
// that is lost, sent twice or delivered twice is seen at once. Descriptors are real ones, so that
// numbers are reused as the real kernel reuses them, and one that is left open is open in truth.
//
// host/ and the real engines reach this kernel through system_calls.cpp, the simulated engine and
// the tests directly.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "choices.h"
#include "fault_plan.h"

namespace soref::faults {

// The byte at `position` of what endpoint `stream` sends.
[[nodiscard]] inline std::byte byte_of(std::uint32_t stream, std::uint64_t position) noexcept {
  return static_cast<std::byte>(std::uint64_t{stream} * 167 + position * 31 + (position >> 7));
}

enum class EndpointState : std::uint8_t { fresh, listening, connecting, connected, failed, closed };

// One end of a connection, or a listener. The kernel keeps all of a run's endpoints to its end.
struct Endpoint {
  std::uint32_t id = 0;
  int domain = 0;
  int descriptor = -1;  // -1: outside, waiting in a backlog, or closed
  bool outside = false;
  EndpointState state = EndpointState::fresh;
  std::string local;  // socket addresses as raw bytes
  std::string remote;
  Endpoint* peer = nullptr;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint32_t operations = 0;  // of the engine, in flight; the real kernel holds the file so
  bool end_sent = false;
  bool reset = false;           // by the peer
  bool reset_reported = false;  // it is reported once, by a receive or a send
  bool reset_on_close = false;
  // An injected error has hit it: its bytes need not all arrive.
  bool disturbed = false;
  std::deque<Endpoint*> backlog;  // of a listener: connections that nobody has accepted
  std::size_t backlog_limit = 0;
  bool short_of_room = false;  // a send found none, and is told when there is some
  bool flooded = false;        // somebody connects from outside whenever the backlog has room
};

// Addresses outside, all at 192.0.2.1 (TEST-NET-1, RFC 5737), by port.
inline constexpr std::uint16_t kAcceptingPort = 1;
inline constexpr std::uint16_t kRefusingPort = 2;
inline constexpr std::uint16_t kSilentPort = 3;

struct KernelLimits {
  std::size_t descriptors = 64;
  std::size_t stream = 1024;         // bytes on their way in one direction
  std::uint32_t short_sends = 0;     // one in so many takes less than there is room for
  std::uint32_t short_receives = 0;  // one in so many gives less than there is
};

class SimulatedKernel {
 public:
  SimulatedKernel(Choices& choices, FaultPlan& faults, KernelLimits limits);
  // Every descriptor must have been closed.
  ~SimulatedKernel();
  SimulatedKernel(const SimulatedKernel&) = delete;
  SimulatedKernel& operator=(const SimulatedKernel&) = delete;

  // --- time, in milliseconds
  [[nodiscard]] std::uint64_t now() const noexcept { return now_; }
  void advance(std::uint64_t milliseconds);

  // --- system calls: a negative errno where they fail
  [[nodiscard]] bool owns(int descriptor) const noexcept;
  int socket(int domain);
  int bind(int descriptor, const std::string& name);
  int listen(int descriptor, int backlog);
  int connect(int descriptor, const std::string& name);
  int local_name(int descriptor, std::string& name);
  int peer_name(int descriptor, std::string& name);
  [[nodiscard]] bool peer_has_ended(int descriptor);
  int option(int descriptor, int level, int option, int& value);
  int set_option(int descriptor, int level, int option, const void* value);
  int set_blocking(int descriptor);
  int shutdown(int descriptor);
  int close(int descriptor);
  int unlink(const std::string& path);
  int send(int descriptor, const msghdr& message);

  // For an engine's own descriptor, which is no socket and is not counted among them.
  int open_own();

  // --- what the engine's operations do; -EAGAIN where they would have to wait
  int accept(int descriptor);
  int receive(int descriptor, std::span<std::byte> buffer);
  int finish_connect(int descriptor);
  // Continues a send: without a point of failure of its own.
  int send_more(Endpoint& endpoint, const msghdr& message);
  [[nodiscard]] bool can_read(const Endpoint& endpoint) const noexcept;
  [[nodiscard]] bool can_write(const Endpoint& endpoint) const noexcept;
  [[nodiscard]] bool can_finish_connect(const Endpoint& endpoint) const noexcept;

  // --- the outside: what peers and other programs do
  // Connects to a listener from outside; null if its backlog is full.
  Endpoint* connect_from_outside(Endpoint& listener);
  std::size_t send_from_outside(Endpoint& outside, std::size_t bytes);
  // Reads at most `bytes` of what arrived and gives how many.
  std::size_t receive_outside(Endpoint& outside, std::size_t bytes);
  void end_from_outside(Endpoint& outside);
  void close_outside(Endpoint& outside, bool reset);
  // A descriptor of a connected Unix socket, whose peer is outside: for adoption.
  int connected_descriptor();
  // Closes a descriptor that the core has given away, and removes its path.
  void close_released(int descriptor);

  [[nodiscard]] Endpoint* find(int descriptor) const noexcept;
  [[nodiscard]] Endpoint& endpoint(std::uint32_t id) const noexcept { return *endpoints_[id]; }
  [[nodiscard]] std::size_t endpoints() const noexcept { return endpoints_.size(); }
  [[nodiscard]] std::size_t open_descriptors() const noexcept { return open_; }
  [[nodiscard]] bool at_descriptor_limit() const noexcept { return open_ >= limits_.descriptors; }
  [[nodiscard]] std::size_t paths() const noexcept { return paths_.size(); }
  [[nodiscard]] std::size_t room(const Endpoint& endpoint) const noexcept;
  // Asks the fault plan: 0, or the negative errno that this call on the endpoint fails with.
  int fault(Call call, Endpoint& endpoint);
  [[nodiscard]] FaultPlan& faults() noexcept { return *faults_; }
  [[nodiscard]] Choices& choices() noexcept { return *choices_; }
  // Called with each endpoint that something has happened to, which may be ready for more than
  // before; with none when time has passed.
  void observe(std::function<void(Endpoint*)> changed) { changed_ = std::move(changed); }

 private:
  Endpoint& make_endpoint(int domain);
  [[nodiscard]] int new_descriptor() const;
  int open(Endpoint& endpoint);
  [[nodiscard]] Endpoint* listener_at(const std::string& name) const noexcept;
  Endpoint& establish(Endpoint& client, Endpoint& listener);
  Endpoint& accept_outside(Endpoint& client);
  void leave(Endpoint& endpoint, bool reset);
  void changed(Endpoint& endpoint) const {
    if (changed_) changed_(&endpoint);
  }
  // Somebody has read what the endpoint sent.
  void make_room(Endpoint& endpoint);
  std::size_t some_of(std::size_t most, std::uint32_t rate);
  static int take_error(Endpoint& endpoint);

  Choices* choices_;
  FaultPlan* faults_;
  KernelLimits limits_;
  std::uint64_t now_ = 0;
  int null_ = -1;  // what every descriptor is a duplicate of
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::vector<Endpoint*> by_descriptor_;
  std::set<std::string> paths_;
  std::size_t open_ = 0;
  std::uint16_t next_port_ = 40000;
  std::set<int> own_descriptors_;
  std::function<void(Endpoint*)> changed_;
};

}  // namespace soref::faults
