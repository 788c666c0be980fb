// What the client processes of the soak did, in memory that they share: a process that is killed
// leaves its counts behind.
#pragma once

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <new>

#include "failure.h"
#include "soak_clients/manner.h"

namespace soref::bench {

struct Tally {
  std::array<std::atomic<uint64_t>, kManners.size()> opened{};
  // Connections that ended as their manner has it, among them every one that was to be answered.
  std::array<std::atomic<uint64_t>, kManners.size()> ended{};
  // Connections whose whole answer came, and was right.
  std::atomic<uint64_t> answered{0};
  std::array<std::atomic<uint64_t>, kFailureKinds> failures{};

  uint64_t total_opened() const {
    uint64_t sum = 0;
    for (const auto& count : opened) sum += count.load(std::memory_order_relaxed);
    return sum;
  }
};

inline void count(std::atomic<uint64_t>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

// The mapping lives as long as the process; null when the kernel has no memory for it.
inline Tally* map_tally() {
  void* memory =
      mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : new (memory) Tally;
}

}  // namespace soref::bench
