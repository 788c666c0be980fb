// One run as its failure names it: findings, a trace that is printed when a run is replayed, and
// the command that replays it, which is printed also when the process dies of an assertion.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace soref::faults {

// What sets one run apart: printed as "seed=7 call=12 error=104", and read back from that.
struct RunPlan {
  const char* test = "";  // the test case, as the harness selects it
  std::uint64_t seed = 1;
  std::uint32_t engine = 0;        // enum EngineKind
  std::uint32_t rate = 0;          // one call in so many fails, by choice; 0: none
  std::uint32_t call = 0;          // the call into the kernel that fails; 0: none
  int error = 0;                   // what it fails with
  std::uint32_t moment = 0;        // where the run is interrupted; 0: nowhere
  std::uint32_t interruption = 0;  // and by what; enum Interruption

  [[nodiscard]] std::string text() const;
  // The shell command that runs it alone, with its trace.
  [[nodiscard]] std::string replay_command() const;
};

// The plan in the environment variable SOREF_REPLAY, for that test case; none without it.
[[nodiscard]] std::optional<RunPlan> plan_to_replay(const char* test);

// How many seeds to run: SOREF_SEEDS, or `usual`.
[[nodiscard]] std::uint64_t seeds_to_run(std::uint64_t usual);

class RunReport {
 public:
  // From here on until the report ends, a process that dies prints how to replay this run.
  RunReport(const RunPlan& plan, bool tracing);
  ~RunReport();
  RunReport(const RunReport&) = delete;
  RunReport& operator=(const RunReport&) = delete;

  // One line of the trace.
  void trace(const std::string& line) const;
  // Records a finding unless the condition holds.
  void expect(bool condition, const char* expected, const std::string& subject);

  [[nodiscard]] const std::vector<std::string>& findings() const noexcept { return findings_; }

 private:
  std::vector<std::string> findings_;
  bool tracing_;
};

}  // namespace soref::faults
