// A run by random script, as its plan says. Failing calls, interruptions and plain random runs are
// all this.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "run_report.h"

namespace soref::faults {

struct Outcome {
  std::uint32_t calls = 0;    // calls into the kernel that could have failed
  std::uint32_t moments = 0;  // at which the run could have been interrupted
  std::vector<std::string> findings;
};

[[nodiscard]] Outcome run_script(const RunPlan& plan);

}  // namespace soref::faults
