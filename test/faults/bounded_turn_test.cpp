// What the core does between two chances of its consumer has an end, also while others never pause.
#include "check_run.h"
#include "world.h"

namespace soref::faults {
namespace {

// Connections that one visit to the kernel brings.
constexpr std::size_t kPerVisit = 4;
constexpr std::size_t kDescriptors = 400;

// A listener that is flooded, and one connection that has something to tell.
class Flood {
 public:
  Flood() : report_(kPlan, false), world_(kPlan, settings(), script_, script_, faults_, report_) {
    world_.consumer().open_listener(0);
    world_.turn();
    Endpoint& listener = world_.kernel().endpoint(0);
    Endpoint* client = world_.kernel().connect_from_outside(listener);
    world_.turn_until_quiet();
    listener.flooded = true;
    world_.kernel().send_from_outside(*client, 10);
    world_.kernel().connect_from_outside(listener);
  }
  ~Flood() { world_.kernel().endpoint(0).flooded = false; }
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;

  World& world() noexcept { return world_; }
  Holder& connection() noexcept { return *world_.consumer().holders()[1]; }
  std::size_t accepted() const noexcept { return world_.core().ledger().attached; }

 private:
  static constexpr RunPlan kPlan{};
  static World::Settings settings() {
    World::Settings settings;
    settings.behaviour.completion_entries = kPerVisit;
    settings.limits.descriptors = kDescriptors;
    return settings;
  }

  RunReport report_;
  LastChoice script_;
  FaultPlan faults_;
  World world_;
};

TEST_CASE("a call that lets sockets end does not wait for what holds them besides operations") {
  Flood flood;
  World& world = flood.world();
  bool called = false;
  world.consumer().after_event = [&](Holder* holder) {
    if (called || holder != &flood.connection()) return;
    called = true;
    // Closed while its event is being delivered, which holds it until the consumer is done.
    world.consumer().close(*holder, false);
    const std::size_t before = flood.accepted();
    world.core().settle();
    CHECK(flood.accepted() - before <= 2 * kPerVisit);
  };
  while (!called) world.turn();
}

TEST_CASE("a turn ends though connections come without a pause") {
  Flood flood;
  const std::size_t before = flood.accepted();
  flood.world().consumer().close(flood.connection(), false);
  flood.world().core().end_turn();
  CHECK(flood.accepted() - before <= 4 * kPerVisit);
}

TEST_CASE("a socket is given away though connections come without a pause") {
  Flood flood;
  const std::size_t before = flood.accepted();
  flood.world().consumer().release(flood.connection());
  CHECK(flood.accepted() - before <= 2 * kPerVisit);
}

TEST_CASE("an environment ends though connections come without a pause") {
  Flood flood;
  flood.world().exit();
  CHECK(flood.accepted() < kDescriptors);
}

}  // namespace
}  // namespace soref::faults
