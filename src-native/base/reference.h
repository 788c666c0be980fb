// The tags of references to a socket, and the causes of taking and dropping one. A socket's count
// is the sum over its tags, and nothing but a reference keeps a socket alive.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/assert.h"

namespace soref::base {

// Who holds a reference.
enum class Reference : std::uint8_t {
  consumer,   // the JavaScript socket, from creation or acceptance until close
  queue,      // an entry of a listener's accept queue
  protocol,   // a control block that has work to finish after its consumer has gone
  operation,  // a kernel operation, from its submission to its final completion
  event,      // an upcall that JavaScript has not seen yet
};
inline constexpr std::size_t kReferenceTags = 5;

[[nodiscard]] constexpr const char* to_string(Reference tag) noexcept {
  constexpr const char* kNames[kReferenceTags] = {"consumer", "queue", "protocol", "operation",
                                                  "event"};
  return kNames[static_cast<std::size_t>(tag)];
}

// Why a reference is taken or dropped, in a word: "accepted", "closed", and for operations and
// events which one it is. `text` is a literal. Only builds with expensive checks keep causes; in
// the others a cause is empty, and passing it takes no instruction.
template <bool kept>
class CauseOf {
 public:
  constexpr explicit CauseOf(const char* text) noexcept : text_(text) {}
  [[nodiscard]] constexpr const char* text() const noexcept { return text_; }

 private:
  const char* text_;
};

template <>
class CauseOf<false> {
 public:
  constexpr explicit CauseOf(const char*) noexcept {}
  [[nodiscard]] static constexpr const char* text() noexcept { return ""; }
};

using Cause = CauseOf<kExpensiveChecks>;

}  // namespace soref::base
