// Large receives, whose memory the consumer takes, and what comes into their buffers after that.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "environment_without_node.h"

namespace soref::core {
namespace {

using socket::Event;
using socket::SocketName;

constexpr std::size_t kSmall = 100;

std::string pattern(std::size_t size, std::size_t seed) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + seed) % 26);
  return text;
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// One connection whose consumer takes the memory of what is large, as lib/core does, and keeps it.
class Taker final : public EnvironmentWithoutNode {
 public:
  Taker(const Memory& memory, std::unique_ptr<engine::Engine> engine,
        std::unique_ptr<base::Ledger> ledger)
      : EnvironmentWithoutNode(memory, std::move(engine), std::move(ledger)) {
    std::array<int, 2> pair{};
    CHECK_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    peer = pair[1];
    const auto family = static_cast<std::uint32_t>(protocol::Family::local);
    CHECK_EQ(core().layer().create(family, {protocol::Origin::Kind::external, pair[0]}, connection),
             0);
    command(Command::receive, connection->name(), 1);
  }
  ~Taker() override {
    core().shut_down();
    ::close(peer);
  }

  using EnvironmentWithoutNode::core;

  // Sends it and waits until it has been delivered.
  void bring(const std::string& text) {
    CHECK_EQ(::send(peer, text.data(), text.size(), 0), text.size());
    const std::size_t wanted = received.size() + text.size();
    for (int turns = 0; turns < 1000 && received.size() < wanted; ++turns) turn(5);
    CHECK(received.substr(received.size() - text.size()) == text);
  }
  // Brings large and small receives until every buffer has had both.
  void use_all_buffers() {
    constexpr std::size_t kTurns = kReceiveBufferCount;
    for (std::size_t i = 0; i < kTurns; ++i) {
      received.clear();
      bring(pattern(kReceiveBufferSize, i));
      bring(pattern(kSmall, i));
      bring(pattern(kHandOverFrom, i + 1));
    }
  }

  struct Taken {
    std::unique_ptr<std::byte[]> memory;
    std::string text;
  };

  int peer = -1;
  socket::Socket* connection = nullptr;
  std::string received;
  bool ended = false;
  std::vector<Taken> taken;

 private:
  void handle(Event event, SocketName, std::int32_t first, std::int32_t second) override {
    const auto index = static_cast<std::size_t>(shared().header(Header::event_cursor)) - 1;
    CHECK_EQ(core().buffer_of(index).has_value(), event == Event::data);
    CHECK(!core().buffer_of(std::size_t{1} << 20));
    ended = ended || event == Event::end;
    if (event != Event::data) return;
    const auto buffer = static_cast<std::uint32_t>(first);
    CHECK_EQ(core().buffer_of(index).value(), buffer);
    const auto length = static_cast<std::uint32_t>(second);
    if (length < kHandOverFrom) {
      received += text_of(EnvironmentWithoutNode::received(first, second));
      return;
    }
    received += text_of({shared().pool().at(buffer), length});
    auto fresh = std::make_unique<std::byte[]>(kReceiveBufferSize);
    shared().elsewhere[buffer] = fresh.get();
    std::unique_ptr<std::byte[]> memory = std::exchange(memory_[buffer], std::move(fresh));
    if (memory == nullptr) return;
    const std::string text = text_of({memory.get(), length});
    taken.push_back({std::move(memory), text});
    if (taken.size() > 64) taken.erase(taken.begin());
  }

  std::array<std::unique_ptr<std::byte[]>, kReceiveBufferCount> memory_;  // what the buffers have
};

void on_each_engine(const std::function<void(Taker&)>& body) {
  for (const engine::Choice choice : {engine::Choice::epoll, engine::Choice::io_uring}) {
    Memory memory;
    const auto taker = EnvironmentWithoutNode::start<Taker>(choice, memory);
    if (taker != nullptr) body(*taker);
  }
}

TEST_CASE("memory that was taken stays as it was, and its buffer goes on elsewhere") {
  on_each_engine([](Taker& taker) {
    taker.use_all_buffers();
    ::shutdown(taker.peer, SHUT_WR);
    for (int turns = 0; turns < 1000 && !taker.ended; ++turns) taker.turn(5);
    CHECK(taker.ended);
    CHECK_EQ(taker.taken.size(), 64U);
    for (const Taker::Taken& taken : taker.taken) {
      CHECK(text_of({taken.memory.get(), taken.text.size()}) == taken.text);
    }
  });
}

TEST_CASE("bytes that are given away are read from where they lie") {
  on_each_engine([](Taker& taker) {
    taker.use_all_buffers();
    const std::string text = pattern(kReceiveBufferSize, 5);
    CHECK_EQ(::send(taker.peer, text.data(), text.size(), 0), text.size());
    for (int turns = 0; turns < 1000 && !taker.core().has_events(); ++turns) {
      static_cast<void>(taker.core().end_turn());
      taker.core().engine().wait(5);
      taker.core().begin_turn();
    }
    std::string head;
    const int descriptor = taker.core().release(
        *taker.connection, [&](std::span<const std::byte> bytes) { head += text_of(bytes); },
        [](auto) {});
    CHECK(head == text);
    ::close(descriptor);
  });
}

}  // namespace
}  // namespace soref::core
