// The two requests of the HTTP loads, and where an answer to them ends.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace soref::bench {

inline constexpr std::string_view kHttpRequest = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
inline constexpr std::string_view kLastHttpRequest =
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

// Whether these bytes end an answer, which ends with the body that the benchmark's servers send.
// Its last bytes are kept in `last` from call to call, for they may come in pieces.
inline bool ends_http_answer(std::array<char, 64>& last, const char* bytes, uint32_t size) {
  static constexpr std::string_view kEnd = "\r\n\r\nhello";
  const size_t fresh = std::min<size_t>(size, kEnd.size());
  std::memmove(last.data(), last.data() + fresh, kEnd.size() - fresh);
  std::memcpy(last.data() + kEnd.size() - fresh, bytes + size - fresh, fresh);
  return std::string_view(last.data(), kEnd.size()) == kEnd;
}

}  // namespace soref::bench
