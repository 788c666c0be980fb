// The log in words.
#include "socket/reference_log.h"

namespace soref::socket {

std::string describe(const ReferenceLog& log) {
  std::string text;
  log.for_each([&](const ReferenceChange& change) {
    text += std::string("\n    ") + (change.taken ? "+ " : "- ") + to_string(change.tag) + " (" +
            change.cause + "): " + std::to_string(change.held) + " of " +
            std::to_string(change.total);
  });
  return text;
}

}  // namespace soref::socket
