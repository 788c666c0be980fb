// What the tests of this folder share: a run is checked, and its first finding ends the test case,
// with the command that replays it.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "check.h"
#include "run_report.h"

namespace soref::faults {

// Records the findings of a run as failed checks; false if there are any.
inline bool check_run(const RunPlan& plan, const std::vector<std::string>& findings) {
  CHECK_EQ(findings.size(), 0U);
  for (const std::string& finding : findings) std::printf("  # %s\n", finding.c_str());
  if (!findings.empty()) std::printf("  # replay: %s\n", plan.replay_command().c_str());
  return findings.empty();
}

}  // namespace soref::faults
