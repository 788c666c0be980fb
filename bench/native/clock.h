// The clock of the native programs: nanoseconds that no adjustment of the time of day moves.
#pragma once

#include <time.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

namespace soref::bench {

inline uint64_t seconds_to_ns(double seconds) { return static_cast<uint64_t>(seconds * 1e9); }

inline uint64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

// Sleeps so long, unless a signal's handler sets `interrupted` before.
inline void sleep_seconds(double seconds, const volatile std::sig_atomic_t& interrupted) {
  const uint64_t until = now_ns() + seconds_to_ns(seconds);
  timespec time{};
  time.tv_sec = static_cast<time_t>(until / 1'000'000'000);
  time.tv_nsec = static_cast<long>(until % 1'000'000'000);
  while (interrupted == 0 &&
         clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) == EINTR) {
  }
}

inline void sleep_seconds(double seconds) {
  const volatile std::sig_atomic_t never = 0;
  sleep_seconds(seconds, never);
}

}  // namespace soref::bench
