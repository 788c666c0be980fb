// The ledger in words, for the report of a broken invariant.
#include "base/ledger.h"

#include <initializer_list>
#include <utility>

namespace soref::base {

std::string Ledger::describe() const {
  std::string text = "ledger";
  const auto add = [&](std::initializer_list<std::pair<const char*, std::uint64_t>> counts) {
    const char* separator = ": ";
    for (const auto& [name, count] : counts) {
      text += std::exchange(separator, ", ") + std::string(name) + " " + std::to_string(count);
    }
  };
  add({{"attach attempted", attach_attempted},
       {"attached", attached},
       {"failed", attach_failed},
       {"detached", detached}});
  text += "; references";
  add({{"consumer", references[0]},
       {"queue", references[1]},
       {"protocol", references[2]},
       {"operation", references[3]},
       {"event", references[4]}});
  text += "; held";
  add({{"operations in flight", operations_in_flight()},
       {"events waiting", events_waiting()},
       {"descriptors", descriptors},
       {"pinned buffers", pinned_buffers}});
  return text;
}

}  // namespace soref::base
