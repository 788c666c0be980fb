// How a fuzzer says that something does not hold: it stops, as for a broken invariant, and
// libFuzzer keeps the input.
#pragma once

#include <cstdio>
#include <cstdlib>

#define REQUIRE_ALWAYS(condition)                                                             \
  ((condition)                                                                                \
       ? static_cast<void>(0)                                                                 \
       : (std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition), \
          std::abort()))
