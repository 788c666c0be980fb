// The report of a broken invariant. Called only by the macros of assert.h.
#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace soref::base {

void assertion_failed(const char* condition, const char* invariant, const char* file, int line,
                      const char* subject) noexcept {
  std::fprintf(stderr, "soref: invariant broken: %s\n  condition: %s\n  at: %s:%d\n", invariant,
               condition, file, line);
  if (subject[0] != '\0') std::fprintf(stderr, "  subject: %s\n", subject);
  std::fflush(stderr);
  std::abort();
}

}  // namespace soref::base
