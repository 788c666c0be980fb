// The same run again and again, interrupted after its first moment, its second, and so on to its
// end: by a close, a reset or a release of the socket in question, by the close of every listener,
// and by the end of the environment. A moment is a step of the script or an event that a consumer
// has received.
#include "check_run.h"
#include "scripted_run.h"
#include "world.h"

namespace soref::faults {
namespace {

constexpr std::uint64_t kSeeds = 40;

// Interrupts one seed's run at each of its moments; false at the first finding.
bool interrupt_each_moment(const char* test, std::uint64_t seed, Interruption interruption) {
  for (std::uint32_t moment = 1;; ++moment) {
    const RunPlan plan{.test = test,
                       .seed = seed,
                       .moment = moment,
                       .interruption = static_cast<std::uint32_t>(interruption)};
    const Outcome outcome = run_script(plan);
    if (!check_run(plan, outcome.findings)) return false;
    if (outcome.moments < moment) return true;
  }
}

void run_seeds(const char* test, Interruption interruption) {
  if (const auto plan = plan_to_replay(test)) {
    check_run(*plan, run_script(*plan).findings);
    return;
  }
  const std::uint64_t seeds = seeds_to_run(kSeeds);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    if (!interrupt_each_moment(test, seed, interruption)) return;
  }
}

TEST_CASE("a socket is destroyed at every moment") {
  run_seeds("destroyed at every moment", Interruption::destroy);
}
TEST_CASE("a socket is reset at every moment") {
  run_seeds("reset at every moment", Interruption::reset);
}
TEST_CASE("a socket is released at every moment") {
  run_seeds("released at every moment", Interruption::release);
}
TEST_CASE("every listener is closed at every moment") {
  run_seeds("closed at every moment", Interruption::close_listeners);
}
TEST_CASE("the environment ends at every moment") {
  run_seeds("ends at every moment", Interruption::exit);
}

}  // namespace
}  // namespace soref::faults
