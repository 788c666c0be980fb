// The report of a broken invariant. Called only by the macros of assert.h.
#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace soref::base {

void assertion_failed(const char* condition, const char* invariant, const char* file, int line,
                      const Subject* subject) noexcept {
  std::fprintf(stderr, "soref: invariant broken: %s\n  condition: %s\n  at: %s:%d\n", invariant,
               condition, file, line);
  // What comes first is printed first: describing walks what may be damaged.
  std::fflush(stderr);
  if (subject != nullptr) std::fprintf(stderr, "  about: %s\n", subject->describe().c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace soref::base
