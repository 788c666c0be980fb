// A log-linear histogram of nanoseconds: every power of two is cut into 128 equal cells, so a
// quantile is at most 0.8 % away from the exact sample and adding one costs no allocation. It is
// plain memory without pointers, because the load generator's workers keep theirs in a mapping that
// the parent process reads.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace soref::bench {

class Histogram {
 public:
  void add(uint64_t nanoseconds) {
    ++cells_[cell_of(nanoseconds)];
    ++count_;
    max_ = std::max(max_, nanoseconds);
  }

  void merge(const Histogram& other) {
    for (size_t i = 0; i < kCells; ++i) cells_[i] += other.cells_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
  }

  uint64_t count() const { return count_; }
  uint64_t max() const { return max_; }

  // The smallest recorded value that at least `fraction` of all values do not exceed, as the middle
  // of its cell; 0 when nothing was recorded.
  uint64_t quantile(double fraction) const {
    if (count_ == 0) return 0;
    const auto wanted = std::max<uint64_t>(
        1, static_cast<uint64_t>(std::ceil(fraction * static_cast<double>(count_))));
    uint64_t seen = 0;
    for (size_t i = 0; i < kCells; ++i) {
      seen += cells_[i];
      if (seen >= wanted) return std::min(middle_of(i), max_);
    }
    return max_;
  }

 private:
  static constexpr unsigned kSubBits = 7;   // 128 cells for each power of two
  static constexpr unsigned kMaxBits = 40;  // longer than 18 minutes goes to the last cell
  static constexpr size_t kCells = static_cast<size_t>(kMaxBits - kSubBits + 1) << kSubBits;

  // Values below 128 have a cell each. Above, `shift` low bits are dropped so that 8 bits remain;
  // the topmost of them is always 1, which leaves 128 cells for each shift.
  static size_t cell_of(uint64_t value) {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    if (width <= kSubBits) return static_cast<size_t>(value);
    if (width > kMaxBits) return kCells - 1;
    const unsigned shift = width - kSubBits - 1;
    return (static_cast<size_t>(shift) << kSubBits) + static_cast<size_t>(value >> shift);
  }

  static uint64_t middle_of(size_t cell) {
    if (cell < (size_t{2} << kSubBits)) return cell;
    const auto shift = static_cast<unsigned>((cell >> kSubBits) - 1);
    const uint64_t mantissa = cell - (static_cast<uint64_t>(shift) << kSubBits);
    return (mantissa << shift) + (uint64_t{1} << shift) / 2;
  }

  std::array<uint64_t, kCells> cells_{};
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};

}  // namespace soref::bench
