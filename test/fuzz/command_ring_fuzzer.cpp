// JavaScript that writes whatever it likes into the memory that it shares with the core, before a
// turn and while events are delivered, and calls in any order: names of sockets that are no more or
// never were, commands that do not exist, cursors and counts out of range. Its sockets are real
// ones, and so is the engine. Whatever it does may cost it an error, and never more: no wrong
// access, no broken invariant, nothing left at the end.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "environment_without_node.h"
#include "finding.h"
#include "fuzzer/FuzzedDataProvider.h"
#include "pinned_bytes.h"

namespace soref::core {
namespace {

using protocol::Family;
using socket::SocketName;

constexpr int kMostSteps = 300;
constexpr std::size_t kMostSockets = 32;

class HostileProgram final : public EnvironmentWithoutNode {
 public:
  HostileProgram(const Memory& memory, std::unique_ptr<engine::Engine> engine,
                 std::unique_ptr<base::Ledger> ledger, FuzzedDataProvider& input)
      : EnvironmentWithoutNode(memory, std::move(engine), std::move(ledger)), input_(&input) {}
  ~HostileProgram() override {
    if (!over_) core().shut_down();
    for (const int peer : peers_) ::close(peer);
  }

  void run() {
    while (may_go_on()) step();
    // What lies there is carried out and delivered.
    for (int turns = 0; turns < 3 && !over_; ++turns) turn(0);
  }

 private:
  [[nodiscard]] bool may_go_on() {
    return !over_ && steps_ < kMostSteps && input_->remaining_bytes() > 0;
  }

  void step() {
    ++steps_;
    switch (input_->ConsumeIntegralInRange(0, 15)) {
      case 0:
        return create();
      case 1:
      case 2:
        return adopt_pair();
      case 3:
      case 4:
      case 5:
        return command(static_cast<Command>(input_->ConsumeIntegralInRange(1, 5)), any_name(),
                       any_number(), any_number(), any_number());
      case 6:
        return poke(kCommandsAt, kEventsAt);
      case 7:
        return poke(0, kControlLength);
      case 8:
        shared().header(Header::commands_length) = any_number();
        return;
      case 9:
        return act_as_peer();
      case 10:
        return listen();
      case 11:
        return connect();
      case 12:
        return release();
      case 13:
        return send_pinned();
      case 14:
        return set_option();
      default:
        return pass_time();
    }
  }

  // --- what it makes of the input

  // Mostly small, or near to a limit.
  std::int32_t any_number() {
    switch (input_->ConsumeIntegralInRange(0, 3)) {
      case 0:
        return input_->ConsumeIntegral<std::int8_t>();
      case 1:
        return static_cast<std::int32_t>(kTransmitSize) + input_->ConsumeIntegral<std::int8_t>();
      case 2:
        return static_cast<std::int32_t>(kCommandLength * kCommandCapacity) +
               input_->ConsumeIntegral<std::int8_t>();
      default:
        return input_->ConsumeIntegral<std::int32_t>();
    }
  }
  SocketName any_name() {
    if (names_.empty() || input_->ConsumeIntegralInRange(0, 7) == 0) {
      return name_of(any_number(), any_number());
    }
    return names_[input_->ConsumeIntegralInRange<std::size_t>(0, names_.size() - 1)];
  }
  void poke(std::uint32_t from, std::uint32_t to) {
    const auto at = input_->ConsumeIntegralInRange<std::uint32_t>(from, to - 1);
    const auto length = input_->ConsumeIntegralInRange<std::uint32_t>(1, 8);
    for (std::uint32_t index = at; index < to && index < at + length; ++index) {
      shared().control[index] = any_number();
      poked_events_ |= index == static_cast<std::uint32_t>(Header::event_count);
    }
  }

  // --- calls, checked as binding/calls.cpp checks them

  socket::Socket* open_socket(SocketName name) {
    socket::Socket* found = core().layer().find(name);
    return found != nullptr && found->life() == socket::Life::open ? found : nullptr;
  }
  socket::Socket* any_open_socket() { return open_socket(any_name()); }

  void remember(SocketName name) {
    if (names_.size() < kMostSockets) return names_.push_back(name);
    names_[name.slot % kMostSockets] = name;
  }
  socket::Socket* make(std::uint32_t family, protocol::Origin origin) {
    if (core().layer().live() > kMostSockets) return nullptr;
    socket::Socket* socket = nullptr;
    if (core().layer().create(family, origin, socket) != 0) return nullptr;
    remember(socket->name());
    return socket;
  }
  void create() { make(input_->ConsumeIntegralInRange<std::uint32_t>(0, 3), {}); }

  void adopt(int descriptor) {
    core().settle();
    const int family = core().layer().protocols().family_of(descriptor);
    if (family < 0 || make(static_cast<std::uint32_t>(family),
                           {protocol::Origin::Kind::external, descriptor}) == nullptr) {
      ::close(descriptor);
    }
  }
  void adopt_pair() {
    if (peers_.size() > kMostSockets) return;
    std::array<int, 2> pair{};
    const int type = input_->ConsumeIntegralInRange(0, 15) == 0 ? SOCK_DGRAM : SOCK_STREAM;
    REQUIRE_ALWAYS(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair.data()) == 0);
    peers_.push_back(pair[1]);
    adopt(pair[0]);
  }

  void listen() {
    core().settle();
    socket::Socket* socket = any_open_socket();
    if (socket == nullptr) return;
    const bool local = socket->protocol().resource(socket->control_block()) >= 0 &&
                       std::string(socket->protocol().name()) == "unix";
    protocol::Name where{.address = local ? std::string("\0soref-fuzz-", 12) : "127.0.0.1"};
    if (local) where.address += std::to_string(::getpid()) + "-" + std::to_string(steps_);
    if (std::string(socket->protocol().name()) == "tcp6") where.address = "::1";
    if (input_->ConsumeBool()) static_cast<void>(socket->bind(where, {}));
    if (socket->listen(input_->ConsumeIntegral<std::int8_t>()) != 0) return;
    if (socket->protocol().local_name(socket->control_block(), where) == 0) last_listener_ = where;
  }
  void connect() {
    core().settle();
    socket::Socket* socket = any_open_socket();
    if (socket != nullptr) static_cast<void>(socket->connect(last_listener_));
  }
  void release() {
    core().drain();
    socket::Socket* socket = any_open_socket();
    if (socket == nullptr) return;
    const int descriptor = core().release(
        *socket, [](auto) {}, [](auto) {});
    if (descriptor < 0) return;
    if (input_->ConsumeBool()) return adopt(descriptor);
    ::close(descriptor);
  }
  void send_pinned() {
    core().drain();
    socket::Socket* socket = any_open_socket();
    if (socket == nullptr) return;
    const auto size = input_->ConsumeIntegralInRange<std::size_t>(0, 300'000);
    auto pinned = std::make_unique<Pinned>(std::vector<std::byte>(size), core().ledger());
    const std::span<const std::byte> bytes = pinned->bytes();
    socket->send_pinned(bytes, std::move(pinned));
    core().send_now(*socket);
    static_cast<void>(socket->notify_when_drained());
  }
  void set_option() {
    core().drain();
    socket::Socket* socket = any_open_socket();
    if (socket == nullptr) return;
    const auto option = input_->ConsumeIntegralInRange<std::uint8_t>(0, protocol::kOptionCount - 1);
    const auto which = static_cast<protocol::Option>(option);
    static_cast<void>(socket->protocol().set_option(socket->control_block(), which, any_number()));
    static_cast<void>(socket->protocol().option(socket->control_block(), which));
  }

  void pass_time() {
    switch (input_->ConsumeIntegralInRange(0, 7)) {
      case 0:
        return core().drain();
      case 1:
        return core().settle();
      case 2:
        static_cast<void>(core().end_turn());
        return;
      case 3:
        return core().retry_accepts();
      default:
        if (!delivering_) turn(0);
        return;
    }
  }

  // --- the other ends

  void act_as_peer() {
    if (peers_.empty()) return;
    const auto which = input_->ConsumeIntegralInRange<std::size_t>(0, peers_.size() - 1);
    const int peer = peers_[which];
    static std::array<std::byte, 100'000> bytes;
    const auto size = input_->ConsumeIntegralInRange<std::size_t>(1, bytes.size());
    switch (input_->ConsumeIntegralInRange(0, 4)) {
      case 0:
      case 1:
        static_cast<void>(::send(peer, bytes.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL));
        return;
      case 2:
        static_cast<void>(::recv(peer, bytes.data(), size, MSG_DONTWAIT));
        return;
      case 3:
        ::shutdown(peer, input_->ConsumeIntegralInRange(0, 2));
        return;
      default:
        ::close(peer);
        peers_.erase(peers_.begin() + static_cast<std::ptrdiff_t>(which));
    }
  }

  // --- events

  void dispatch() override {
    delivering_ = true;
    // Names of accepted sockets can only be learned here.
    const auto count = static_cast<std::uint32_t>(shared().header(Header::event_count));
    REQUIRE_ALWAYS(count <= kEventCapacity || poked_events_);
    for (std::uint32_t index = 0; index < count && index < 64; ++index) {
      const auto event = shared().control.subspan(kEventsAt + index * kEventLength, kEventLength);
      if (event[0] == static_cast<std::int32_t>(socket::Event::connection)) {
        remember(name_of(event[3], event[4]));
      }
    }
    switch (input_->ConsumeIntegralInRange(0, 7)) {
      case 0:
        shared().header(Header::event_cursor) = any_number();
        break;
      case 1:
        shared().header(Header::event_count) = any_number();
        poked_events_ = true;
        break;
      case 2:
        poke(kEventsAt, kControlLength);
        break;
      case 3:
        // A listener that calls, and then throws.
        if (may_go_on()) step();
        ++shared().header(Header::event_cursor);
        break;
      case 4:
        if (input_->ConsumeIntegralInRange(0, 15) == 0) {
          over_ = true;
          core().shut_down();
        }
        break;
      default:
        EnvironmentWithoutNode::dispatch();
    }
    delivering_ = false;
  }
  void handle(socket::Event, SocketName, std::int32_t, std::int32_t) override {
    if (may_go_on()) step();
  }

  FuzzedDataProvider* input_;
  std::vector<SocketName> names_;
  std::vector<int> peers_;
  protocol::Name last_listener_{.address = "127.0.0.1", .port = 1};
  int steps_ = 0;
  bool delivering_ = false;
  bool poked_events_ = false;
  bool over_ = false;
};

int lowest_free_descriptor() {
  const int descriptor = ::fcntl(0, F_DUPFD_CLOEXEC, 0);
  ::close(descriptor);
  return descriptor;
}

}  // namespace
}  // namespace soref::core

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace soref;
  static core::Memory memory;
  const int before = core::lowest_free_descriptor();
  FuzzedDataProvider input(data, size);
  // A ring takes a thousand times longer to set up than an epoll instance.
  const engine::Choice choice =
      input.ConsumeIntegralInRange(0, 255) == 0 ? engine::Choice::io_uring : engine::Choice::epoll;
  if (auto program =
          core::EnvironmentWithoutNode::start<core::HostileProgram>(choice, memory, input)) {
    program->run();
  }
  REQUIRE_ALWAYS(core::lowest_free_descriptor() == before);
  return 0;
}
