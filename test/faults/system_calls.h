// The system calls that src-native/ makes, answered by a simulated kernel. system_calls.cpp defines
// them in the test's own program, where they take precedence over the C library's; calls that do
// not concern a simulated socket go on to the real kernel.
#pragma once

#include "simulated_epoll.h"
#include "simulated_kernel.h"
#include "simulated_ring.h"

namespace soref::faults {

// While it lives, the system calls of this process go to `kernel`, and those of epoll(7) to
// `epoll`.
class SystemCalls {
 public:
  SystemCalls(SimulatedKernel& kernel, SimulatedEpoll& epoll) noexcept;
  ~SystemCalls();
#if SOREF_HAVE_LIBURING
  // The ring that io_uring's calls go to; it must be there before an engine is made.
  static void use(SimulatedRing& ring) noexcept;
  [[nodiscard]] static SimulatedRing& ring() noexcept;
#endif
  SystemCalls(const SystemCalls&) = delete;
  SystemCalls& operator=(const SystemCalls&) = delete;
};

}  // namespace soref::faults
