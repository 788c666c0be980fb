// Programs and peers that misbehave, on each engine and with a hundred seeds: nothing may be left,
// and each event must be one that may come. SOREF_TRANSITION_LOG names a file for the transitions,
// which `npm run model` judges; SOREF_SEED is a single seed to run.
#include <cstdlib>

#include "misusing_program.h"

namespace soref {
namespace {

void run_programs(engine::Choice choice) {
  const char* path = std::getenv("SOREF_TRANSITION_LOG");
  std::FILE* file = path == nullptr ? nullptr : std::fopen(path, "a");
  const char* only = std::getenv("SOREF_SEED");
  const std::uint64_t first = only == nullptr ? 1 : std::strtoull(only, nullptr, 10);
  const std::uint64_t last = only == nullptr ? 100 : first;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    limit_descriptors(false);
    const int before = open_descriptors();
    const int failed = check::failed_checks;
    {
      auto ledger = std::make_unique<base::Ledger>();
      const engine::BufferPool pool{memory().receive.get(), core::kReceiveBufferSize,
                                    core::kReceiveBufferCount};
      engine::Selection selection = engine::make_engine(choice, pool, *ledger);
      if (selection.engine == nullptr) {
        std::printf("  # cannot run here: %s\n", selection.reason.c_str());
        CHECK(!selection.reason.empty());
        break;
      }
      TransitionLog log(file);
      MisusingProgram program(std::move(selection.engine), std::move(ledger), log, seed);
      program.run(60);
    }
    CHECK_EQ(open_descriptors(), before);
    if (check::failed_checks > failed) std::printf("  # failed with SOREF_SEED=%lu\n", seed);
  }
  if (file != nullptr) std::fclose(file);
}

TEST_CASE("epoll: programs and peers that misbehave leave nothing") {
  run_programs(engine::Choice::epoll);
}

TEST_CASE("io_uring: programs and peers that misbehave leave nothing") {
  run_programs(engine::Choice::io_uring);
}

}  // namespace
}  // namespace soref
