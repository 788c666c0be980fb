// What a consumer does, what its peers do and what the engine completes when, all by the fuzzer's
// choice: a simulated run (test/faults) whose every decision comes from the input. The run itself
// checks each event and each byte, and that nothing is left.
//   SOREF_TRACE=1 shows what an input does.
#include <csignal>
#include <cstdlib>

#include "fuzzer/FuzzedDataProvider.h"
#include "scripted_run.h"
#include "world.h"

namespace soref::faults {
namespace {

// When the input is used up, things take their ordinary course: the last of what there is to
// choose.
class FuzzedChoices final : public Choices {
 public:
  explicit FuzzedChoices(FuzzedDataProvider& input) noexcept : input_(&input) {}
  std::uint32_t below(std::uint32_t count) override {
    if (input_->remaining_bytes() == 0) return count - 1;
    return input_->ConsumeIntegralInRange<std::uint32_t>(0, count - 1);
  }

 private:
  FuzzedDataProvider* input_;
};

// The report says how to repeat a run when a process dies; here the fuzzer does, by its own
// handler.
void keep_handler_of_fuzzer() {
  struct sigaction handler {};
  ::sigaction(SIGABRT, nullptr, &handler);
  const RunReport installs_its_own({}, false);
  ::sigaction(SIGABRT, &handler, nullptr);
}

}  // namespace
}  // namespace soref::faults

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace soref::faults;
  static const bool prepared = (keep_handler_of_fuzzer(), true);
  static_cast<void>(prepared);
  FuzzedDataProvider input(data, size);
  FuzzedChoices choices(input);
  RunPlan plan{.test = "this input"};
  plan.moment = choices.one_in(4) ? choices.between(1, 200) : 0;
  plan.interruption = choices.below(kInterruptions);
  RunReport report(plan, std::getenv("SOREF_TRACE") != nullptr);
  FaultPlan faults = choices.one_in(2) ? FaultPlan(choices, choices.between(4, 60)) : FaultPlan();
  {
    const World::Settings settings = World::varied(choices);
    World world(plan, settings, choices, choices, faults, report);
    world.run_script(choices.between(10, 300));
  }
  for (const std::string& finding : report.findings())
    std::fprintf(stderr, "%s\n", finding.c_str());
  if (!report.findings().empty()) std::abort();
  return 0;
}
