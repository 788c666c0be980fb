// Commands that no soref ever writes: each costs an error, and the next ones are carried out.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <limits>

#include "check.h"
#include "environment_without_node.h"

namespace soref::core {
namespace {

using socket::SocketName;

constexpr std::int32_t kLargest = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kSmallest = std::numeric_limits<std::int32_t>::min();

// One connection, and whatever the test writes.
class Writer final : public EnvironmentWithoutNode {
 public:
  Writer(const Memory& memory, std::unique_ptr<engine::Engine> engine,
         std::unique_ptr<base::Ledger> ledger)
      : EnvironmentWithoutNode(memory, std::move(engine), std::move(ledger)) {
    CHECK_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair_.data()), 0);
    socket::Socket* socket = nullptr;
    const auto family = static_cast<std::uint32_t>(protocol::Family::local);
    CHECK_EQ(core().layer().create(family, {protocol::Origin::Kind::external, pair_[0]}, socket),
             0);
    name = socket->name();
  }
  ~Writer() override {
    core().shut_down();
    ::close(pair_[1]);
  }

  SocketName name;

  using EnvironmentWithoutNode::command;
  using EnvironmentWithoutNode::core;
  using EnvironmentWithoutNode::shared;

  [[nodiscard]] std::string peer_reads() const {
    std::array<char, 64> text{};
    const ssize_t size = ::recv(pair_[1], text.data(), text.size(), MSG_DONTWAIT);
    return {text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }

 private:
  void handle(socket::Event, SocketName, std::int32_t, std::int32_t) override {}

  std::array<int, 2> pair_{};
};

void with_writer(const std::function<void(Writer&)>& body) {
  Memory memory;
  memory.transmit()[0] = std::byte{'x'};
  body(*EnvironmentWithoutNode::start<Writer>(engine::Choice::epoll, memory));
}

// The core still does what it is told.
void check_alive(Writer& writer) {
  writer.command(Command::send, writer.name, 0, 1);
  writer.turn(0);
  CHECK_EQ(writer.peer_reads(), std::string("x"));
}

TEST_CASE("a length that is none is refused as a whole") {
  constexpr auto kRegion = static_cast<std::int32_t>(kCommandLength * kCommandCapacity);
  for (const std::int32_t length : {-1, 1, 5, 7, kRegion + 1, kRegion + 6, kLargest, kSmallest}) {
    with_writer([&](Writer& writer) {
      writer.command(Command::close, writer.name, 1);
      writer.shared().header(Header::commands_length) = length;
      writer.turn(0);
      CHECK_EQ(writer.core().ledger().bad_commands, 1U);
      CHECK_EQ(writer.core().layer().live(), 1U);
      check_alive(writer);
    });
  }
}

TEST_CASE("commands and options that do not exist are refused one by one") {
  with_writer([](Writer& writer) {
    for (const std::int32_t what : {0, 6, -1, kLargest, kSmallest}) {
      writer.command(static_cast<Command>(what), writer.name);
    }
    for (const std::int32_t option : {int{protocol::kOptionCount}, 100, -1, kLargest, kSmallest}) {
      writer.command(Command::option, writer.name, option);
    }
    writer.turn(0);
    CHECK_EQ(writer.core().ledger().bad_commands, 10U);
    check_alive(writer);
  });
}

TEST_CASE("a send of what is not in the transmit memory is refused") {
  constexpr auto kSize = static_cast<std::int32_t>(kTransmitSize);
  const std::array<std::array<std::int32_t, 2>, 8> places = {{{kSize, 1},
                                                              {0, kSize + 1},
                                                              {1, kSize},
                                                              {-1, 1},
                                                              {0, -1},
                                                              {-1, 2},
                                                              {kSmallest, kSmallest},
                                                              {kLargest, kLargest}}};
  with_writer([&](Writer& writer) {
    for (const auto& [offset, length] : places) {
      writer.command(Command::send, writer.name, offset, length);
    }
    writer.turn(0);
    CHECK_EQ(writer.core().ledger().bad_commands, places.size());
    CHECK_EQ(writer.peer_reads(), std::string());
    check_alive(writer);
  });
}

TEST_CASE("names that nobody has find nobody") {
  with_writer([](Writer& writer) {
    const SocketName own = writer.name;
    for (const SocketName name : {SocketName{own.slot, own.generation + 1}, SocketName{own.slot, 0},
                                  SocketName{own.slot + 1, own.generation},
                                  SocketName{0xffffffff, 0xffffffff}, SocketName{0x80000000, 1}}) {
      writer.command(Command::close, name, 1);
    }
    writer.turn(0);
    CHECK_EQ(writer.core().ledger().stale_names, 5U);
    check_alive(writer);
  });
}

TEST_CASE("a socket that is closing is told nothing more") {
  with_writer([](Writer& writer) {
    for (const Command what : {Command::close, Command::close, Command::receive}) {
      writer.command(what, writer.name, 1);
    }
    writer.turn(0);
    CHECK_EQ(writer.core().ledger().stale_names, 2U);
  });
}

// What the writer's peer has read when a socket begins to close.
class ClosingObserver final : public socket::TransitionObserver {
 public:
  explicit ClosingObserver(Writer& writer) : writer_(&writer) {}
  void life_changed(const socket::Socket& socket, socket::Life) override {
    if (socket.life() == socket::Life::closing) read = writer_->peer_reads();
  }

  std::string read;

 private:
  Writer* writer_;
};

TEST_CASE("what one socket wrote leaves before the next one closes") {
  with_writer([](Writer& writer) {
    socket::Socket* other = nullptr;
    const auto family = static_cast<std::uint32_t>(protocol::Family::tcp4);
    CHECK_EQ(writer.core().layer().create(family, {}, other), 0);
    ClosingObserver observer(writer);
    writer.core().layer().observe(&observer);
    writer.command(Command::send, writer.name, 0, 1);
    writer.command(Command::close, other->name());
    writer.turn(0);
    writer.core().layer().observe(nullptr);
    CHECK_EQ(observer.read, std::string("x"));
  });
}

TEST_CASE("drains and turns are counted by the core, whatever stands in the header") {
  with_writer([](Writer& writer) {
    writer.shared().header(Header::drains) = kLargest;
    writer.shared().header(Header::turn) = kLargest;
    check_alive(writer);
    CHECK_EQ(writer.shared().header(Header::drains), 1);
    CHECK_EQ(writer.shared().header(Header::turn), 1);
    writer.turn(0);
    CHECK_EQ(writer.shared().header(Header::drains), 1);
    CHECK_EQ(writer.shared().header(Header::turn), 2);
  });
}

}  // namespace
}  // namespace soref::core
