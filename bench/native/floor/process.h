// What all bare programs share: the size of a message, how they fail, and their CPU time.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace soref::bench {

inline constexpr uint32_t kMessageSize = 64;

[[noreturn]] inline void die(const char* what, int error) {
  std::fprintf(stderr, "%s: %s\n", what, strerror(error));
  std::exit(1);
}

struct CpuTime {
  int64_t user_us = 0;
  int64_t system_us = 0;
};

// That this process has used.
inline CpuTime cpu_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& time) {
    return static_cast<int64_t>(time.tv_sec) * 1'000'000 + static_cast<int64_t>(time.tv_usec);
  };
  return {us(usage.ru_utime), us(usage.ru_stime)};
}

}  // namespace soref::bench
