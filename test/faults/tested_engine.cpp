// Makes engines on the simulated kernel.
#include "tested_engine.h"

#include <string>

#include "base/assert.h"
#include "engine/epoll_engine.h"
#include "engine/uring_engine.h"
#include "simulated_ring.h"
#include "system_calls.h"

namespace soref::faults {

namespace {

TestedEngine make_epoll(const SimulatedEpoll& epoll, engine::BufferPool pool,
                        base::Ledger& ledger) {
  std::string reason;
  TestedEngine made;
  made.engine = engine::EpollEngine::make(pool, ledger, reason);
  SOREF_ASSERT(made.engine != nullptr, "an engine can be made");
  made.wakes = [&epoll] { return epoll.is_readable(); };
  made.next_due = [] { return std::uint64_t{0}; };
  // It keeps no count that others can see; a buffer that is lost shows as bytes that do not come.
  made.has_all_buffers = [] { return true; };
  return made;
}

#if SOREF_HAVE_LIBURING
TestedEngine make_io_uring(SimulatedKernel& kernel, Choices& choices, const Behaviour& behaviour,
                           engine::BufferPool pool, base::Ledger& ledger) {
  auto ring = std::make_shared<SimulatedRing>(kernel, choices, behaviour);
  SystemCalls::use(*ring);
  const auto modes = engine::ring_modes();
  const auto& mode = modes[choices.below(static_cast<std::uint32_t>(modes.size()))];
  std::string reason;
  TestedEngine made;
  // The ring lives as long as these functions, and so longer than the engine.
  made.engine = engine::UringEngine::make(mode, pool, ledger, reason);
  SOREF_ASSERT(made.engine != nullptr, "an engine can be made");
  made.wakes = [ring] { return ring->wakes(); };
  made.next_due = [ring] { return ring->next_due(); };
  made.has_all_buffers = [ring] { return ring->has_all_buffers(); };
  return made;
}
#endif

}  // namespace

TestedEngine make_tested_engine(EngineKind kind, SimulatedKernel& kernel,
                                const SimulatedEpoll& epoll, Choices& choices,
                                const Behaviour& behaviour, engine::BufferPool pool,
                                base::Ledger& ledger) {
  if (kind == EngineKind::epoll) return make_epoll(epoll, pool, ledger);
#if SOREF_HAVE_LIBURING
  if (kind == EngineKind::io_uring) return make_io_uring(kernel, choices, behaviour, pool, ledger);
#endif
  auto engine = std::make_unique<SimulatedEngine>(kernel, choices, behaviour, pool, ledger);
  const SimulatedEngine& simulated = *engine;
  return {.engine = std::move(engine),
          .wakes = [&simulated] { return simulated.wakes(); },
          .next_due = [&simulated] { return simulated.next_due(); },
          .has_all_buffers = [&simulated] { return simulated.has_all_buffers(); }};
}

}  // namespace soref::faults
