// The invariants of operations, buffers, descriptors and an environment's end, broken on purpose on
// real sockets, on every engine that this machine has.
#include <sys/socket.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "broken_invariant.h"
#include "core/core.h"
#include "engine/completion_queue.h"

namespace soref::core {
namespace {

using base::Cause;
using base::Reference;
using engine::Choice;
using socket::Socket;

// One environment with one connection whose peer says nothing.
struct World {
  std::vector<std::int32_t> control = std::vector<std::int32_t>(kControlLength);
  std::vector<std::byte> receive =
      std::vector<std::byte>(std::size_t{kReceiveBufferSize} * kReceiveBufferCount);
  std::unique_ptr<Core> core;
  Socket* connection = nullptr;
  int peer = -1;

  explicit World(Choice choice) {
    auto ledger = std::make_unique<base::Ledger>();
    const engine::BufferPool pool{receive.data(), kReceiveBufferSize, kReceiveBufferCount};
    engine::Selection selection = engine::make_engine(choice, pool, *ledger);
    core = std::make_unique<Core>(std::move(selection.engine), SharedMemory{control, {}, receive},
                                  std::move(ledger));
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::exit(1);
    peer = ends[1];
    const auto family = static_cast<std::uint32_t>(protocol::Family::local);
    if (core->layer().create(family, {protocol::Origin::Kind::external, ends[0]}, connection) !=
        0) {
      std::exit(1);
    }
  }
  void turn() {
    static_cast<void>(core->end_turn());
    core->begin_turn();
  }
};

const std::vector<Choice>& choices() {
  static const std::vector<Choice> available = [] {
    std::vector<Choice> found = {Choice::epoll};
    base::Ledger ledger;
    std::vector<std::byte> memory(4096);
    if (engine::make_engine(Choice::io_uring, {memory.data(), 4096, 1}, ledger).engine != nullptr) {
      found.push_back(Choice::io_uring);
    }
    return found;
  }();
  return available;
}

// The report of what `breaks` does to an environment, the same on every engine.
void check_breaking(void (*breaks)(World&), const std::string& invariant,
                    const std::string& about) {
  for (const Choice choice : choices()) {
    check_report(report_of([&] {
                   World world(choice);
                   breaks(world);
                 }),
                 invariant, about);
  }
}

constexpr const char* kOpen = "socket 0.1 unix life=open connection=connected";

TEST_CASE("an environment that ends well is not reported") {
  for (const Choice choice : choices()) {
    CHECK_EQ(report_of([&] {
               World world(choice);
               world.connection->receive(true);
               world.turn();
               world.core->shut_down();
               world.core.reset();
             }),
             "");
  }
}

TEST_CASE("references of operations are as many as operations in flight") {
  check_breaking(
      [](World& world) {
        world.connection->receive(true);
        world.connection->update_receiving();
        world.connection->drop(Reference::operation, Cause("doubled"));
        world.turn();
      },
      "references of operations are as many as operations in flight", "ledger: attach attempted 1");
  check_breaking(
      [](World& world) {
        world.connection->hold(Reference::operation, Cause("doubled"));
        world.turn();
      },
      "references of operations are as many as operations in flight", "ledger: attach attempted 1");
}

TEST_CASE("one operation per direction, each with its reference") {
  check_breaking(
      [](World& world) {
        world.connection->send_copy(std::as_bytes(std::span("bytes")), false);
        auto& protocol = world.connection->protocol();
        // The protocol starts one at most; its part below is told to start another.
        protocol.receive(world.connection->control_block(), true);
        host::kernel(world.connection->control_block()).channel.read_state =
            engine::OperationState::idle;
        protocol.receive(world.connection->control_block(), true);
      },
      "one operation per direction, each with its reference", kOpen);
}

TEST_CASE("nothing starts on a socket that is leaving") {
  check_breaking(
      [](World& world) {
        world.connection->send_copy(std::as_bytes(std::span("bytes")), false);
        world.connection->quiesce();
        world.connection->protocol().send(world.connection->control_block());
      },
      "nothing starts on a socket that is leaving, but for its last sends", kOpen);
}

TEST_CASE("a descriptor goes before its control block") {
  check_breaking(
      [](World& world) {
        world.connection->receive(true);
        world.connection->update_receiving();
        world.connection->drop(Reference::operation, Cause("doubled"));
        world.connection->close(false);
        world.core->layer().reclaim();
      },
      "a descriptor is closed, or leaves, before its control block",
      "socket 0.1 unix life=detached connection=disconnected refs=0");
}

TEST_CASE("a descriptor goes only without operations in flight") {
  check_breaking(
      [](World& world) {
        world.connection->receive(true);
        world.connection->update_receiving();
        world.connection->drop(Reference::operation, Cause("doubled"));
        static_cast<void>(world.connection->release());
      },
      "a descriptor is closed, or leaves, only without operations in flight", kOpen);
}

TEST_CASE("a protocol is told once that the last consumer leaves, and before its detach") {
  check_breaking(
      [](World& world) {
        auto& protocol = world.connection->protocol();
        protocol.close(world.connection->control_block());
        protocol.abort(world.connection->control_block());
      },
      "one close or abort, and no second", kOpen);
  check_breaking(
      [](World& world) {
        auto& protocol = world.connection->protocol();
        protocol.detach(world.connection->control_block());
      },
      "close or abort comes before detach", kOpen);
}

TEST_CASE("an operation has one final completion, and it is reported with its socket") {
  check_breaking(
      [](World& world) {
        engine::Channel& channel = host::kernel(world.connection->control_block()).channel;
        engine::CompletionQueue queue(world.core->ledger());
        queue.start(channel, engine::Kind::receive);
        queue.finish(channel, engine::Kind::receive, 0);
        queue.finish(channel, engine::Kind::receive, 0);
      },
      "an operation has one final completion", "channel of descriptor ");
  const std::string report = report_of([] {
    World world(Choice::epoll);
    engine::Channel& channel = host::kernel(world.connection->control_block()).channel;
    engine::CompletionQueue queue(world.core->ledger());
    queue.start(channel, engine::Kind::send);
    queue.start(channel, engine::Kind::send);
  });
  CHECK(report.find(": receive idle, send in flight; socket 0.1 unix life=open") !=
        std::string::npos);
}

TEST_CASE("an environment whose end would never come is reported") {
  for (const Reference leaked : {Reference::consumer, Reference::event}) {
    for (const Choice choice : choices()) {
      check_report(report_of([&] {
                     World world(choice);
                     world.connection->hold(leaked, Cause("leaked"));
                     world.core->shut_down();
                   }),
                   "what outlives its consumer waits for the kernel or its protocol",
                   "ledger: attach attempted 1");
    }
  }
}

TEST_CASE("nothing outlives its environment") {
  const struct {
    void (*breaks)(base::Ledger&);
    const char* invariant;
  } cases[] = {
      {[](base::Ledger& ledger) { ++ledger.descriptors; },
       "no descriptor outlives its environment"},
      {[](base::Ledger& ledger) { ++ledger.pinned_buffers; },
       "no buffer stays pinned after its environment"},
      {[](base::Ledger& ledger) { ++ledger.events_queued; }, "no event outlives its environment"},
      {[](base::Ledger& ledger) { ++ledger.held(Reference::queue); },
       "the ledger's references are those of the live sockets"},
  };
  for (const auto& broken : cases) {
    check_report(report_of([&] {
                   World world(Choice::epoll);
                   broken.breaks(world.core->ledger());
                   world.core->shut_down();
                 }),
                 broken.invariant, "ledger: attach attempted 1");
  }
}

// Spoils the ledger when the last socket has gone, which is after the sockets were compared with
// it.
class SpoilingObserver final : public socket::TransitionObserver {
 public:
  SpoilingObserver(base::Ledger& ledger, void (*spoils)(base::Ledger&))
      : ledger_(&ledger), spoils_(spoils) {}
  void socket_freed(const Socket&) override { spoils_(*ledger_); }

 private:
  base::Ledger* ledger_;
  void (*spoils_)(base::Ledger&);
};

TEST_CASE("nothing is left over when the last socket of an environment has gone") {
  const struct {
    void (*spoils)(base::Ledger&);
    const char* invariant;
  } cases[] = {
      {[](base::Ledger& ledger) { ++ledger.operations_submitted; },
       "no operation outlives its environment"},
      {[](base::Ledger& ledger) { ++ledger.held(Reference::protocol); },
       "no reference outlives its environment"},
  };
  for (const auto& spoiled : cases) {
    check_report(report_of([&] {
                   World world(Choice::epoll);
                   SpoilingObserver observer(world.core->ledger(), spoiled.spoils);
                   world.core->layer().observe(&observer);
                   world.core->shut_down();
                 }),
                 spoiled.invariant, "ledger: attach attempted 1");
  }
}

}  // namespace
}  // namespace soref::core
