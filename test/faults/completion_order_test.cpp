// Completions in every order. Small situations are gone through exhaustively, each order once, with
// every cancellation winning and losing its race; large ones by seed.
#include <algorithm>
#include <functional>

#include "check_run.h"
#include "world.h"

namespace soref::faults {
namespace {

using protocol::Family;

constexpr std::uint64_t kSeeds = 300;

// A listener with some accepted connections that read, each of whose peers is outside.
class Scene {
 public:
  Scene(World& world, std::size_t connections) : world_(&world) {
    world.consumer().open_listener(static_cast<std::uint32_t>(Family::tcp4));
    world.turn();
    for (std::size_t count = 0; count < connections; ++count) connect();
    world.turn_until_quiet();
  }

  // Somebody connects, as soon as the backlog has room.
  void connect() {
    Endpoint& listener = world_->kernel().endpoint(listening().endpoint);
    Endpoint* client = nullptr;
    while (client == nullptr) {
      client = world_->kernel().connect_from_outside(listener);
      world_->turn();
    }
    outside_.push_back(client);
  }
  [[nodiscard]] Holder& listening() const { return *world_->consumer().holders().front(); }
  [[nodiscard]] std::vector<Holder*> connections() const {
    std::vector<Holder*> all;
    for (const auto& holder : world_->consumer().holders()) {
      if (!holder->listening) all.push_back(holder.get());
    }
    return all;
  }
  [[nodiscard]] const std::vector<Endpoint*>& outside() const noexcept { return outside_; }

 private:
  World* world_;
  std::vector<Endpoint*> outside_;
};

World::Settings plain() {
  World::Settings settings;
  settings.limits.stream = 50;
  settings.buffers = 64;
  return settings;
}

void run_to_its_end(World& world) {
  world.turn_until_quiet();
  world.end(true);
}

// Runs a situation along every path of the engine's choices that it opens; the number of paths. A
// plan's seed is the number of its path.
std::uint32_t in_every_order(const char* test,
                             const std::function<void(World&, EveryChoice&)>& situation) {
  const auto replayed = plan_to_replay(test);
  EveryChoice engine_choices;
  std::uint32_t paths = 0;
  do {
    ++paths;
    const RunPlan plan{.test = test, .seed = paths};
    RunReport report(plan, replayed && replayed->seed == paths);
    {
      LastChoice script;
      FaultPlan faults;
      World world(plan, plain(), script, engine_choices, faults, report);
      situation(world, engine_choices);
    }
    if (!check_run(plan, report.findings())) break;
  } while (engine_choices.next());
  return paths;
}

constexpr std::uint32_t factorial(std::uint32_t number) {
  return number < 2 ? 1 : number * factorial(number - 1);
}

TEST_CASE("bytes, ends, room to send and a connection, in every order") {
  const std::uint32_t paths =
      in_every_order("bytes, ends", [](World& world, EveryChoice& engine_choices) {
        Scene scene(world, 4);
        const std::vector<Holder*> sockets = scene.connections();
        CHECK_EQ(sockets.size(), 4U);
        world.consumer().write(*sockets[0]);  // more than its peer has room for
        world.turn_until_quiet();
        CHECK(sockets[0]->blocked);
        // One completion each: room, bytes, the end, a reset; and one connection more.
        world.kernel().receive_outside(*scene.outside()[0], 1000);
        world.kernel().send_from_outside(*scene.outside()[1], 30);
        world.kernel().end_from_outside(*scene.outside()[2]);
        world.kernel().close_outside(*scene.outside()[3], true);
        CHECK(world.kernel().connect_from_outside(
                  world.kernel().endpoint(scene.listening().endpoint)) != nullptr);
        engine_choices.set_branching(true);
        world.core().begin_turn();
        engine_choices.set_branching(false);
        run_to_its_end(world);
      });
  CHECK_EQ(paths, factorial(5));
}

// Two sockets have everything in flight, each operation could complete, and then they are told to
// end: each cancellation may win or lose.
std::uint32_t ended_by(const char* test, const std::function<void(World&, Scene&)>& end) {
  return in_every_order(test, [&](World& world, EveryChoice& engine_choices) {
    Scene scene(world, 2);
    for (Holder* socket : scene.connections()) world.consumer().write(*socket);
    world.turn_until_quiet();
    for (Endpoint* outside : scene.outside()) {
      world.kernel().receive_outside(*outside, 20);
      world.kernel().send_from_outside(*outside, 10);
    }
    engine_choices.set_branching(true);
    end(world, scene);
    engine_choices.set_branching(false);
    if (!world.exited()) run_to_its_end(world);
  });
}

std::uint32_t closed_in_every_order(const char* test, bool reset) {
  return ended_by(test, [reset](World& world, Scene& scene) {
    for (Holder* socket : scene.connections()) world.consumer().close(*socket, reset);
    world.core().end_turn();
  });
}

// Four operations in any order, each of which wins or loses.
constexpr std::uint32_t kRacesOfTwo = factorial(4) * 16;

TEST_CASE("two sockets are closed with everything in flight, in every order of the races") {
  CHECK_EQ(closed_in_every_order("are closed", false), kRacesOfTwo);
}

TEST_CASE("two sockets are reset with everything in flight, in every order of the races") {
  CHECK_EQ(closed_in_every_order("are reset", true), kRacesOfTwo);
}

TEST_CASE("a socket is given away while another one is busy, in every order of the races") {
  // The other one's two operations complete as ever, between two races.
  const auto end = [](World& world, Scene& scene) {
    world.consumer().release(*scene.connections()[0]);
  };
  CHECK_EQ(ended_by("given away", end), factorial(4) * 4);
}

TEST_CASE("the environment ends with everything in flight, in every order of the races") {
  // What is ready completes first; then both sends and the accept are cancelled.
  const auto end = [](World& world, Scene&) { world.exit(); };
  CHECK_EQ(ended_by("environment ends", end), factorial(4) * factorial(3));
}

TEST_CASE("many sockets come and go in random order") {
  const auto run = [](const RunPlan& plan) {
    RunReport report(plan, plan_to_replay(plan.test).has_value());
    SeededChoices engine_choices(plan.seed);
    LastChoice script;
    FaultPlan faults;
    World::Settings settings = World::varied(engine_choices);
    settings.limits.descriptors = 64;
    {
      World world(plan, settings, script, engine_choices, faults, report);
      Scene scene(world, 30);
      for (Endpoint* outside : scene.outside()) {
        world.kernel().send_from_outside(*outside, engine_choices.between(1, 500));
        if (engine_choices.one_in(3)) world.kernel().end_from_outside(*outside);
      }
      for (Holder* socket : scene.connections()) {
        world.consumer().write(*socket);
        if (engine_choices.one_in(3)) world.consumer().shut_down(*socket);
      }
      world.turn();
      for (Holder* socket : scene.connections()) {
        if (engine_choices.one_in(2)) world.consumer().close(*socket, engine_choices.one_in(3));
      }
      run_to_its_end(world);
    }
    return check_run(plan, report.findings());
  };
  if (const auto plan = plan_to_replay("random order")) {
    run(*plan);
    return;
  }
  const std::uint64_t seeds = seeds_to_run(kSeeds);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    if (!run({.test = "random order", .seed = seed})) return;
  }
}

}  // namespace
}  // namespace soref::faults
