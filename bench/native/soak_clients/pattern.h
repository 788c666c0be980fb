// The bytes of the soak, and the header of a request. Both directions carry a stretch of one
// pseudo-random pattern, which begins where the request says: so every byte of every connection has
// one right value, and one that is lost, comes twice, or is another connection's is found out.
// test/soak/pattern.mjs says the same for the server.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

namespace soref::bench {

// A prime, so that no size of a buffer divides it.
inline constexpr uint32_t kPatternPeriod = 65'521;

class Pattern {
 public:
  Pattern() : bytes_(size_t{2} * kPatternPeriod) {
    uint32_t state = 0x9e3779b9;
    for (size_t i = 0; i < kPatternPeriod; ++i) {
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      bytes_[i] = bytes_[i + kPatternPeriod] = static_cast<char>(state >> 24);
    }
  }

  // The bytes from a position on; at least a whole period of them.
  const char* at(uint64_t position) const { return bytes_.data() + position % kPatternPeriod; }

 private:
  std::vector<char> bytes_;
};

// What a request begins with, in the byte order of the machine: both sides run on it. Then come
// `request` bytes of the pattern from `start` on. The answer is the `answer` bytes after them.
struct RequestHeader {
  uint32_t start = 0;
  uint32_t request = 0;
  uint32_t answer = 0;
  uint32_t orders = 0;
};
static_assert(sizeof(RequestHeader) == 16);

// The server's idle timeout applies to this connection. Others may be as slow as they are.
inline constexpr uint32_t kOrderTimeout = 1;
// The server destroys the connection when it has the header, whatever else there is to read.
inline constexpr uint32_t kOrderDestroy = 2;
// The server resets it instead.
inline constexpr uint32_t kOrderReset = 4;

}  // namespace soref::bench
