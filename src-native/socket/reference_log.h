// The last changes of one socket's count, oldest first, for the report of a broken invariant and
// for inspection. Builds without expensive checks keep none. Written by Socket::hold and drop only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/reference.h"

namespace soref::socket {

// One reference that was taken or dropped.
struct ReferenceChange {
  base::Reference tag = base::Reference::consumer;
  bool taken = false;
  const char* cause = "";   // a literal
  std::uint32_t held = 0;   // references of that tag, after the change
  std::uint32_t total = 0;  // the count, after the change
};

template <bool kept>
class ReferenceLogOf {
 public:
  static constexpr std::size_t kLength = 16;

  void record(const ReferenceChange& change) noexcept { changes_[made_++ % kLength] = change; }
  // Changes made so far, of which the log has the last kLength.
  [[nodiscard]] std::size_t made() const noexcept { return made_; }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::size_t at = made_ < kLength ? 0 : made_ - kLength; at < made_; ++at) {
      visit(changes_[at % kLength]);
    }
  }

 private:
  std::array<ReferenceChange, kLength> changes_;
  std::size_t made_ = 0;
};

template <>
class ReferenceLogOf<false> {
 public:
  static void record(const ReferenceChange&) noexcept {}
  [[nodiscard]] static std::size_t made() noexcept { return 0; }
  template <typename Visit>
  void for_each(Visit) const {}
};

using ReferenceLog = ReferenceLogOf<base::kExpensiveChecks>;

// A line for each change that the log has; empty without any.
[[nodiscard]] std::string describe(const ReferenceLog& log);

}  // namespace soref::socket
