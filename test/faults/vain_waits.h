// Notices whoever waits for what cannot come: in virtual time such a wait would go on for ever.
#pragma once

#include <cstdint>

#include "base/assert.h"

namespace soref::faults {

class VainWaits {
 public:
  // A wait has ended; `vain` if nothing came.
  void ended(bool vain) noexcept {
    in_a_row_ = vain ? in_a_row_ + 1 : 0;
    SOREF_ASSERT(in_a_row_ < kMost, "nobody waits for what cannot come");
  }

 private:
  static constexpr std::uint32_t kMost = 1000;
  std::uint32_t in_a_row_ = 0;
};

}  // namespace soref::faults
