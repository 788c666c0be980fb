// Asks each protocol in turn whether an outside resource is its own.
#include "protocol/protocol_switch.h"

#include <cerrno>

namespace soref::protocol {

int Switch::family_of(int resource) const noexcept {
  for (std::size_t family = 0; family < kFamilies; ++family) {
    if (protocols_[family] == nullptr) continue;
    const int answer = protocols_[family]->recognizes(resource);
    if (answer == 0) return static_cast<int>(family);
    if (answer != -EAFNOSUPPORT) return answer;
  }
  return -EAFNOSUPPORT;
}

}  // namespace soref::protocol
