// Finds out at start-up, by trying, whether io_uring can serve here and in which mode. A kernel's
// version does not tell: seccomp, sysctls and limits forbid io_uring in many places, and which
// descriptor wakes an event loop differs between kernels.
#pragma once

#if SOREF_HAVE_LIBURING

#include <string>

#include "engine/uring_ring.h"

namespace soref::engine {

struct ProbeResult {
  const RingMode* mode = nullptr;  // null if io_uring cannot serve
  int error = 0;                   // the errno that io_uring_setup(2) refused with, if it did
  std::string reason;              // why it cannot serve
};

// Takes well below two milliseconds where io_uring works.
[[nodiscard]] ProbeResult probe_io_uring();

// Runs a small ring in `mode`, to see whether all that the engine needs works in it.
[[nodiscard]] ProbeResult try_ring_mode(const RingMode& mode);

// An errno of io_uring_setup(2), in words that say what a user can do about it.
[[nodiscard]] std::string explain_refusal(int error);

}  // namespace soref::engine

#endif  // SOREF_HAVE_LIBURING
