// The choice of an engine: the one place that knows which engines there are.
#include "engine/engine.h"
#include "engine/epoll_engine.h"

namespace soref::engine {

Selection make_engine(Choice choice, BufferPool pool, base::Ledger& ledger) {
  Selection selection;
  if (choice != Choice::epoll) {
    selection.reason = "this build has no io_uring";
    if (choice == Choice::io_uring) return selection;
  }
  std::string epoll_reason;
  selection.engine = EpollEngine::make(pool, ledger, epoll_reason);
  if (!selection.engine) selection.reason = epoll_reason;
  return selection;
}

}  // namespace soref::engine
