// How many buffers a channel may fill before the others get their turn. A reader that has just
// begun gets one, since it may stop at what it finds there. One that goes on, and whose peer fills
// all it may, gets twice as many, up to a bound: taking a flow in large portions costs the kernel
// far less than in small ones. Private to the engines.
#pragma once

#include <algorithm>
#include <cstdint>

namespace soref::engine {

class ReceiveShare {
 public:
  [[nodiscard]] std::uint32_t buffers() const noexcept { return buffers_; }
  void begin() noexcept { buffers_ = 1; }
  // A turn has ended, with all its buffers filled or not.
  void end_turn(bool filled) noexcept {
    buffers_ = filled ? static_cast<std::uint8_t>(std::min(buffers_ * 2, kMost)) : 1;
  }

 private:
  // With buffers of 64 KB half a megabyte, which is also what a reader that stops may have to keep.
  static constexpr int kMost = 8;

  std::uint8_t buffers_ = 1;
};

}  // namespace soref::engine
