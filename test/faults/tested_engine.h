// The engine of a run and what a test must know of it besides: when it would wake its loop, and
// whether it has its buffers back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "choices.h"
#include "engine/engine.h"
#include "simulated_engine.h"
#include "simulated_epoll.h"
#include "simulated_kernel.h"

namespace soref::faults {

// simulated: with every freedom that engine.h leaves. The others are the real ones, on a simulated
// epoll(7) or io_uring(7).
enum class EngineKind : std::uint8_t { simulated, epoll, io_uring };

struct TestedEngine {
  std::unique_ptr<engine::Engine> engine;
  std::function<bool()> wakes;              // its wake-up descriptor would be readable now
  std::function<std::uint64_t()> next_due;  // when it would be next, by the time alone; 0: never
  std::function<bool()> has_all_buffers;    // nobody holds a receive buffer
};

[[nodiscard]] TestedEngine make_tested_engine(EngineKind kind, SimulatedKernel& kernel,
                                              const SimulatedEpoll& epoll, Choices& choices,
                                              const Behaviour& behaviour, engine::BufferPool pool,
                                              base::Ledger& ledger);

}  // namespace soref::faults
