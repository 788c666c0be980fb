// Random scripts of consumers and peers over engines of every temper, with faults and without.
#include "check_run.h"
#include "scripted_run.h"
#include "tested_engine.h"

namespace soref::faults {
namespace {

constexpr std::uint64_t kSeeds = 6000;
constexpr std::uint64_t kSeedsOfRealEngine = 3000;

void run_seeds(const char* test, EngineKind engine, std::uint32_t rate) {
  if (const auto plan = plan_to_replay(test)) {
    check_run(*plan, run_script(*plan).findings);
    return;
  }
  const std::uint64_t seeds =
      seeds_to_run(engine == EngineKind::simulated ? kSeeds : kSeedsOfRealEngine);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const RunPlan plan{
        .test = test, .seed = seed, .engine = static_cast<std::uint32_t>(engine), .rate = rate};
    if (!check_run(plan, run_script(plan).findings)) return;
  }
}

TEST_CASE("random scripts without faults") {
  run_seeds("scripts without faults", EngineKind::simulated, 0);
}
TEST_CASE("random scripts where one call in twenty fails") {
  run_seeds("scripts where one call", EngineKind::simulated, 20);
}
TEST_CASE("random scripts on epoll without faults") {
  run_seeds("epoll without faults", EngineKind::epoll, 0);
}
TEST_CASE("random scripts on epoll where one call in twenty fails") {
  run_seeds("epoll where one call", EngineKind::epoll, 20);
}
#if SOREF_HAVE_LIBURING
TEST_CASE("random scripts on io_uring without faults") {
  run_seeds("io_uring without faults", EngineKind::io_uring, 0);
}
TEST_CASE("random scripts on io_uring where one call in twenty fails") {
  run_seeds("io_uring where one call", EngineKind::io_uring, 20);
}
#endif

TEST_CASE("the same seed makes the same run") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Outcome first = run_script({.seed = seed, .rate = 30});
    const Outcome second = run_script({.seed = seed, .rate = 30});
    CHECK_EQ(first.calls, second.calls);
    CHECK_EQ(first.moments, second.moments);
  }
}

}  // namespace
}  // namespace soref::faults
