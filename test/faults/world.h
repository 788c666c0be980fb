// One simulated run: a core on an engine and a simulated kernel, a consumer above it and peers
// outside, driven by one seed. A run takes a number of steps by choice, then ends, either with
// every socket closed or with the environment, and then nothing may be left.
#pragma once

#include <cstdint>
#include <memory>

#include "choices.h"
#include "consumer.h"
#include "core/core.h"
#include "fault_plan.h"
#include "run_report.h"
#include "simulated_epoll.h"
#include "simulated_kernel.h"
#include "system_calls.h"
#include "tested_engine.h"

namespace soref::faults {

// What happens at the moment that a run plan names.
enum class Interruption : std::uint32_t {
  destroy,          // the socket that the moment concerns is closed
  reset,            // or reset
  release,          // or given away
  close_listeners,  // every listener is closed
  exit,             // the environment ends
};
inline constexpr std::uint32_t kInterruptions = 5;

class World {
 public:
  struct Settings {
    EngineKind engine = EngineKind::simulated;
    Behaviour behaviour;
    KernelLimits limits;
    std::uint32_t buffers = 4;
  };
  // Settings that differ from seed to seed.
  [[nodiscard]] static Settings varied(Choices& choices);

  // `choices` are the script's, `engine_choices` those of engine and kernel; they may be the same.
  World(const RunPlan& plan, const Settings& settings, Choices& choices, Choices& engine_choices,
        FaultPlan& faults, RunReport& report);
  // Ends the run if it has not ended, and checks that nothing is left.
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Steps by choice, and an end by choice.
  void run_script(std::uint32_t steps);
  // One turn of a loop: what Environment and libuv do in Node.
  void turn();
  // Turns until nothing can happen any more, then checks that nothing was forgotten.
  void turn_until_quiet();
  // Ends the run: every socket is closed, and then the environment ends; or that at once.
  void end(bool gracefully);
  void exit();

  // Moments passed: each step of the script and each event of the consumer is one.
  [[nodiscard]] std::uint32_t moments() const noexcept { return moment_; }
  [[nodiscard]] Consumer& consumer() noexcept { return *consumer_; }
  [[nodiscard]] SimulatedKernel& kernel() noexcept { return kernel_; }
  [[nodiscard]] core::Core& core() const noexcept { return *core_; }
  [[nodiscard]] bool exited() const noexcept { return exited_; }

 private:
  void pass_moment(Holder* holder);
  void interrupt(Holder* holder);
  void step();
  void act_outside();
  void check_nothing_forgotten();
  void check_holder(const Holder& holder);
  void check_nothing_left();
  void expect(bool condition, const char* expected) { report_->expect(condition, expected, "run"); }

  RunPlan plan_;
  Choices* choices_;
  RunReport* report_;
  SimulatedKernel kernel_;
  SimulatedEpoll epoll_;
  SystemCalls system_calls_;
  TestedEngine engine_;  // the engine itself is the core's
  std::unique_ptr<core::Core> core_;
  std::unique_ptr<Consumer> consumer_;
  std::uint32_t moment_ = 0;
  std::uint64_t retry_at_ = 0;  // when paused listeners try again; 0: not arranged
  std::uint32_t vain_retries_ = 0;
  std::uint64_t detached_at_retry_ = 0;
  bool quiet_ = false;  // the last turn found nothing to do and nothing to wait for
  bool exited_ = false;
};

}  // namespace soref::faults
