// What the load generator's parent and its worker processes share, in one anonymous mapping: the
// phase that the parent sets, and for each worker the counters that only this worker writes.
// Workers are processes, not threads, because descriptors of a process with several threads cost
// more (the kernel then counts references to each file), which would slow the client alone.
#pragma once

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "failure.h"
#include "histogram.h"

namespace soref::bench {

enum class Phase : uint32_t {
  warm_up,    // connections run, latencies are not recorded
  measuring,  // latencies are recorded
  ending,     // nothing new is opened; what is open comes to its end
};

struct alignas(64) WorkerState {
  std::atomic<uint64_t> opened{0};  // connections whose connect() was issued
  std::atomic<uint64_t> completed{
      0};                           // the mode's unit: connections ended as they should, messages
  std::atomic<uint64_t> closed{0};  // connections that ended as they should
  std::atomic<uint64_t> unfinished{0};  // connections still open when the time was up
  std::atomic<uint64_t> live{0};        // connections established now
  std::array<uint64_t, kFailureKinds> failures{};
  Histogram latency;
};

struct SharedState {
  std::atomic<Phase> phase{Phase::warm_up};
  std::array<WorkerState, 64> workers;
};

// The mapping lives as long as the process; NULL when the kernel has no memory for it.
inline SharedState* map_shared_state() {
  void* memory =
      mmap(nullptr, sizeof(SharedState), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : new (memory) SharedState;
}

// Each counter has one writer, so a plain load and store is enough and costs no locked instruction.
inline void add(std::atomic<uint64_t>& counter, uint64_t amount = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

inline void subtract(std::atomic<uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
}

}  // namespace soref::bench
