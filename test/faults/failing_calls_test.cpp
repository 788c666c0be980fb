// The same run again and again, with its first call into the kernel failing, its second, and so on
// until there is none left to fail.
//
// Allocation is no such call: the core is compiled without exceptions, so a failed operator new
// ends the process, as it does in Node. What may fail on the way to a socket, to an operation and
// to its result is the kernel's: those are the calls here.
#include <array>
#include <cerrno>
#include <span>

#include "check_run.h"
#include "fault_plan.h"
#include "scripted_run.h"
#include "tested_engine.h"

namespace soref::faults {
namespace {

// Those that the core tells apart.
constexpr std::array kSomeErrors = {EMFILE, ECONNRESET, ECONNREFUSED, EADDRINUSE,
                                    EINTR,  EAGAIN,     EINVAL};

// Fails each call of one seed's run with each of `errors`; false at the first finding.
bool fail_each_call(const char* test, EngineKind engine, std::uint64_t seed,
                    std::span<const int> errors) {
  for (const int error : errors) {
    for (std::uint32_t call = 1;; ++call) {
      const RunPlan plan{.test = test,
                         .seed = seed,
                         .engine = static_cast<std::uint32_t>(engine),
                         .call = call,
                         .error = error};
      const Outcome outcome = run_script(plan);
      if (!check_run(plan, outcome.findings)) return false;
      if (outcome.calls < call) break;
    }
  }
  return true;
}

void run_seeds(const char* test, EngineKind engine, std::uint64_t usual,
               std::span<const int> errors) {
  if (const auto plan = plan_to_replay(test)) {
    check_run(*plan, run_script(*plan).findings);
    return;
  }
  const std::uint64_t seeds = seeds_to_run(usual);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    if (!fail_each_call(test, engine, seed, errors)) return;
  }
}

TEST_CASE("each call of a run fails, with the errors that the core tells apart") {
  run_seeds("call of a run fails, with the", EngineKind::simulated, 20, kSomeErrors);
}

TEST_CASE("each call of a run on epoll fails, with the errors that the core tells apart") {
  run_seeds("run on epoll fails", EngineKind::epoll, 8, kSomeErrors);
}

#if SOREF_HAVE_LIBURING
TEST_CASE("each call of a run on io_uring fails, with the errors that the core tells apart") {
  run_seeds("run on io_uring fails", EngineKind::io_uring, 4, kSomeErrors);
}
#endif

TEST_CASE("each call of a run fails, with every error that there is") {
  std::array<int, kLastError> errors{};
  for (int error = 1; error <= kLastError; ++error) {
    errors[static_cast<std::size_t>(error - 1)] = error;
  }
  run_seeds("every error", EngineKind::simulated, 2, errors);
}

}  // namespace
}  // namespace soref::faults
