// The system calls that src-native/ makes, answered by a simulated kernel. system_calls.cpp defines
// them in the test's own program, where they take precedence over the C library's; calls that do
// not concern a simulated socket go on to the real kernel.
#pragma once

#include "simulated_kernel.h"

namespace soref::faults {

// While it lives, the system calls of this process go to `kernel`.
class SystemCalls {
 public:
  explicit SystemCalls(SimulatedKernel& kernel) noexcept;
  ~SystemCalls();
  SystemCalls(const SystemCalls&) = delete;
  SystemCalls& operator=(const SystemCalls&) = delete;
};

}  // namespace soref::faults
