// A channel as the subject of an assertion: its descriptor, its operations, and whose it is. Made
// by the assertions of this folder, when one fails.
#pragma once

#include <string>

#include "base/assert.h"
#include "engine/engine.h"

namespace soref::engine {

// "receive", "send" and so on.
[[nodiscard]] const char* to_string(Kind kind) noexcept;
[[nodiscard]] const char* to_string(OperationState state) noexcept;

class ChannelReport final : public base::Subject {
 public:
  explicit ChannelReport(const Channel& channel) noexcept : channel_(&channel) {}
  [[nodiscard]] std::string describe() const override;

 private:
  const Channel* channel_;
};

}  // namespace soref::engine
