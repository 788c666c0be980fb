// Events in the hands of consumers who do not treat the shared memory as lib/core does, and of
// those who run the loop themselves while they look at an event.
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <limits>

#include "check.h"
#include "environment_without_node.h"

namespace soref::core {
namespace {

using socket::Event;
using socket::SocketName;

constexpr std::size_t kConnections = 3;

// Three connections whose peers have sent something: three events of data in one batch.
class ThreeReaders final : public EnvironmentWithoutNode {
 public:
  ThreeReaders(const Memory& memory, std::unique_ptr<engine::Engine> engine,
               std::unique_ptr<base::Ledger> ledger)
      : EnvironmentWithoutNode(memory, std::move(engine), std::move(ledger)) {
    for (int& peer : peers_) {
      command(Command::receive, connect(peer).name(), 1);
      CHECK_EQ(::send(peer, "x", 1, 0), 1);
    }
  }
  ~ThreeReaders() override {
    core().shut_down();
    for (const int peer : peers_) ::close(peer);
    CHECK_EQ(core().ledger().attached, core().ledger().detached);
  }

  using EnvironmentWithoutNode::core;

  // One more connection, whose other end is the caller's.
  socket::Socket& connect(int& peer) {
    std::array<int, 2> pair{};
    CHECK_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    peer = pair[1];
    socket::Socket* socket = nullptr;
    const auto family = static_cast<std::uint32_t>(protocol::Family::local);
    CHECK_EQ(core().layer().create(family, {protocol::Origin::Kind::external, pair[0]}, socket), 0);
    return *socket;
  }

  // What a dispatch does instead of looking at events.
  std::function<void(std::int32_t& cursor, std::int32_t& count)> misuse;
  std::function<void()> in_event;
  int dispatches = 0;
  int events = 0;

  void end_peers() {
    for (const int peer : peers_) ::shutdown(peer, SHUT_WR);
  }
  [[nodiscard]] std::uint64_t undelivered() {
    return core().ledger().events_queued - core().ledger().events_delivered;
  }

 private:
  void dispatch() override {
    ++dispatches;
    if (!misuse) return EnvironmentWithoutNode::dispatch();
    misuse(shared().header(Header::event_cursor), shared().header(Header::event_count));
  }
  void handle(Event, SocketName, std::int32_t, std::int32_t) override {
    ++events;
    if (in_event) in_event();
  }

  std::array<int, kConnections> peers_{};
};

void on_each_engine(const std::function<void(ThreeReaders&)>& body) {
  for (const engine::Choice choice : {engine::Choice::epoll, engine::Choice::io_uring}) {
    Memory memory;
    const auto readers = EnvironmentWithoutNode::start<ThreeReaders>(choice, memory);
    if (readers != nullptr) body(*readers);
  }
}

template <typename Done>
void turn_until(ThreeReaders& readers, Done done) {
  for (int turns = 0; turns < 1000 && !done(); ++turns) readers.turn(5);
}

TEST_CASE("a cursor that does not go forward ends the batch") {
  for (const std::int32_t wrong : {0, -1, std::numeric_limits<std::int32_t>::min()}) {
    on_each_engine([&](ThreeReaders& readers) {
      readers.misuse = [&](std::int32_t& cursor, std::int32_t&) { cursor = wrong; };
      turn_until(readers, [&] { return readers.dispatches > 0 && readers.undelivered() == 0; });
      CHECK(readers.dispatches > 0);
      CHECK(readers.dispatches <= static_cast<int>(kConnections));
      CHECK_EQ(readers.undelivered(), 0U);
    });
  }
}

TEST_CASE("a cursor beyond the batch ends it") {
  on_each_engine([](ThreeReaders& readers) {
    readers.misuse = [](std::int32_t& cursor, std::int32_t&) {
      cursor = std::numeric_limits<std::int32_t>::max();
    };
    turn_until(readers, [&] { return readers.dispatches > 0 && readers.undelivered() == 0; });
    CHECK(readers.dispatches <= static_cast<int>(kConnections));
    CHECK_EQ(readers.undelivered(), 0U);
  });
}

TEST_CASE("a count that the consumer wrote makes no events") {
  on_each_engine([](ThreeReaders& readers) {
    readers.misuse = [](std::int32_t& cursor, std::int32_t& count) {
      ++cursor;
      count = std::numeric_limits<std::int32_t>::max();
    };
    turn_until(readers, [&] { return readers.undelivered() == 0 && readers.dispatches > 2; });
    CHECK_EQ(readers.dispatches, static_cast<int>(kConnections));
    CHECK_EQ(readers.undelivered(), 0U);
  });
}

TEST_CASE("a consumer that runs the loop gets the other events first, and each once") {
  on_each_engine([](ThreeReaders& readers) {
    readers.in_event = [&] {
      readers.in_event = nullptr;
      readers.end_peers();
      // Data of the others, and the ends of all.
      turn_until(readers, [&] { return readers.events == 2 * kConnections; });
      CHECK_EQ(readers.events, 2 * static_cast<int>(kConnections));
    };
    turn_until(readers, [&] { return readers.events > 0 && readers.undelivered() == 0; });
    CHECK_EQ(readers.events, 2 * static_cast<int>(kConnections));
    CHECK_EQ(readers.undelivered(), 0U);
  });
}

TEST_CASE("a slot names another socket once its farewell was seen") {
  on_each_engine([](ThreeReaders& readers) {
    int peer = -1;
    socket::Socket& first = readers.connect(peer);
    const SocketName name = first.name();
    first.close(false);
    turn_until(readers, [&] {
      return readers.core().layer().live() == kConnections && readers.undelivered() == 0;
    });
    ::close(peer);
    const SocketName next = readers.connect(peer).name();
    CHECK_EQ(next.slot, name.slot);
    CHECK_EQ(next.generation, name.generation + 1);
    ::close(peer);
  });
}

TEST_CASE("bytes that are given away leave their buffer behind") {
  on_each_engine([](ThreeReaders& readers) {
    turn_until(readers, [&] { return readers.events == kConnections; });
    // Each takes a buffer and gives its bytes away, until the pool has been used up once.
    for (std::uint32_t given = 0; given <= kReceiveBufferCount; ++given) {
      int peer = -1;
      socket::Socket& socket = readers.connect(peer);
      CHECK_EQ(::send(peer, "x", 1, 0), 1);
      socket.receive(true);
      for (int turns = 0; turns < 1000 && readers.undelivered() == 0; ++turns) {
        static_cast<void>(readers.core().end_turn());
        readers.core().engine().wait(5);
        readers.core().begin_turn();
      }
      REQUIRE(readers.undelivered() == 1);
      std::size_t head = 0;
      const int descriptor = readers.core().release(
          socket, [&](std::span<const std::byte> bytes) { head += bytes.size(); }, [](auto) {});
      CHECK_EQ(head, 1U);
      ::close(descriptor);
      ::close(peer);
      turn_until(readers, [&] { return readers.undelivered() == 0; });
    }
  });
}

TEST_CASE("a listener that ran out of descriptors tries again when a socket has gone") {
  on_each_engine([](ThreeReaders& readers) {
    const auto family = static_cast<std::uint32_t>(protocol::Family::tcp4);
    socket::Socket* listener = nullptr;
    socket::Socket* client = nullptr;
    CHECK_EQ(readers.core().layer().create(family, {}, listener), 0);
    CHECK_EQ(readers.core().layer().create(family, {}, client), 0);
    CHECK_EQ(listener->bind({"127.0.0.1", 0, 0}, {}), 0);
    CHECK_EQ(listener->listen(5), 0);
    protocol::Name name;
    CHECK_EQ(listener->protocol().local_name(listener->control_block(), name), 0);
    int peer = -1;
    socket::Socket& leaving = readers.connect(peer);
    rlimit limit{};
    CHECK_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit none{.rlim_cur = 3, .rlim_max = limit.rlim_max};
    CHECK_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    CHECK_EQ(client->connect(name), 0);
    turn_until(readers, [&] { return readers.core().has_paused_accepts(); });
    CHECK_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK(readers.core().has_paused_accepts());
    leaving.close(false);
    turn_until(readers, [&] { return !readers.core().has_paused_accepts(); });
    CHECK(!readers.core().has_paused_accepts());
    ::close(peer);
  });
}

}  // namespace
}  // namespace soref::core
