// What a connection can fail with, as cells of an array: errno, whose highest is 133 on Linux, and
// what has no errno. Plain numbers, because client processes count them in memory that they share.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace soref::bench {

inline constexpr size_t kUnexpectedEnd = 0;     // the peer ended before it had sent everything
inline constexpr size_t kUnexpectedData = 134;  // other or more bytes than there should be
inline constexpr size_t kNeverEnded = 135;      // still open when the time was up
inline constexpr size_t kFailureKinds = 136;

// The cell of an errno; one that no Linux has goes to EPROTO's.
inline size_t failure_of(int error) {
  const auto kind = static_cast<size_t>(error);
  return kind < kUnexpectedData ? kind : size_t{EPROTO};
}

inline const char* failure_name(size_t kind) {
  if (kind == kUnexpectedEnd) return "UNEXPECTED_END";
  if (kind == kUnexpectedData) return "UNEXPECTED_DATA";
  if (kind == kNeverEnded) return "NEVER_ENDED";
  const char* name = strerrorname_np(static_cast<int>(kind));
  return name != nullptr ? name : "UNKNOWN";
}

}  // namespace soref::bench
