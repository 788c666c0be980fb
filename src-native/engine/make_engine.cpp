// The choice of an engine: the one place that knows which engines there are.
#include <memory>
#include <string>

#include "engine/engine.h"
#include "engine/epoll_engine.h"

#if SOREF_HAVE_LIBURING
#include "engine/uring_engine.h"
#include "engine/uring_probe.h"
#endif

namespace soref::engine {
namespace {

#if SOREF_HAVE_LIBURING
std::unique_ptr<Engine> make_io_uring(BufferPool pool, base::Ledger& ledger, std::string& reason) {
  const ProbeResult probe = probe_io_uring();
  if (probe.mode == nullptr) {
    reason = probe.reason;
    return nullptr;
  }
  return UringEngine::make(*probe.mode, pool, ledger, reason);
}

UringAvailability availability() {
  const ProbeResult probe = probe_io_uring();
  return {true, probe.mode == nullptr ? "" : probe.mode->name, probe.error, probe.reason};
}
#else
constexpr const char* kNotBuilt = "soref was built without liburing";

UringAvailability availability() { return {false, "", 0, kNotBuilt}; }

std::unique_ptr<Engine> make_io_uring(BufferPool /*pool*/, base::Ledger& /*ledger*/,
                                      std::string& reason) {
  reason = kNotBuilt;
  return nullptr;
}
#endif

}  // namespace

UringAvailability io_uring_availability() { return availability(); }

Selection make_engine(Choice choice, BufferPool pool, base::Ledger& ledger) {
  Selection selection;
  if (choice != Choice::epoll) {
    selection.engine = make_io_uring(pool, ledger, selection.reason);
    if (selection.engine || choice == Choice::io_uring) return selection;
  }
  std::string epoll_reason;
  selection.engine = EpollEngine::make(pool, ledger, epoll_reason);
  if (!selection.engine) selection.reason = epoll_reason;
  return selection;
}

}  // namespace soref::engine
