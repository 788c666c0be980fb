// Monotonic time. Only for display and ages; nothing in the core decides by it.
#pragma once

#include <cstdint>
#include <ctime>

namespace soref::base {

[[nodiscard]] inline std::uint64_t monotonic_milliseconds() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000000;
}

}  // namespace soref::base
