// When connections are opened. Those that are kept are opened at a pace, since nothing tells when
// the server has accepted one: a burst would overflow its accept queue, and SYNs would be sent
// again only after a second. With a rate, connections come as from users who wait for nobody: each
// has a moment at which it is due, and its latency counts from there even if it is opened later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace soref::bench {

class Pace {
 public:
  // `rate` connections a second, or 0 for as many as there is room for; `keeps` tells that they
  // are kept open.
  Pace(double rate, bool keeps)
      : interval_ns_(rate > 0 ? 1e9 / rate : 0), rated_(rate > 0), keeps_(keeps) {}

  bool rated() const { return rated_; }

  // How many may be opened at this moment.
  size_t due(uint64_t now) {
    if (rated_) {
      if (start_ == 0) start_ = now;
      const auto due = static_cast<uint64_t>(static_cast<double>(now - start_) / interval_ns_);
      return due > taken_ ? static_cast<size_t>(due - taken_) : 0;
    }
    if (!keeps_) return std::numeric_limits<size_t>::max();
    if (now - burst_at_ < kBurstInterval) return 0;
    burst_at_ = now;
    return kBurst;
  }

  // The moment from which the next connection's latency counts; takes one of those due.
  uint64_t take(uint64_t now) {
    if (!rated_) return now;
    return start_ + static_cast<uint64_t>(static_cast<double>(++taken_) * interval_ns_);
  }

 private:
  static constexpr size_t kBurst = 16;
  static constexpr uint64_t kBurstInterval = 1'000'000;

  const double interval_ns_;
  const bool rated_;
  const bool keeps_;
  uint64_t start_ = 0;
  uint64_t taken_ = 0;
  uint64_t burst_at_ = 0;
};

}  // namespace soref::bench
