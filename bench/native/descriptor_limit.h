// Gives a native program as many descriptors as it may have: the usual soft limit of 1024 is less
// than the connections that it opens.
#pragma once

#include <sys/resource.h>

namespace soref::bench {

inline void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace soref::bench
