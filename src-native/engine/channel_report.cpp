// A channel in words.
#include "engine/channel_report.h"

#include <array>
#include <cstddef>

namespace soref::engine {

const char* to_string(Kind kind) noexcept {
  constexpr std::array<const char*, 4> kNames = {"accept", "receive", "connect", "send"};
  return kNames[static_cast<std::size_t>(kind)];
}

const char* to_string(OperationState state) noexcept {
  constexpr std::array<const char*, 4> kNames = {"idle", "in flight", "cancelling", "finished"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string ChannelReport::describe() const {
  const auto operation = [](Kind kind, OperationState state) {
    return std::string(to_string(kind)) + " " + to_string(state);
  };
  std::string text = "channel of descriptor " + std::to_string(channel_->descriptor) + ": " +
                     operation(channel_->read_kind, channel_->read_state) + ", " +
                     operation(channel_->write_kind, channel_->write_state);
  if (channel_->subject != nullptr) text += "; " + channel_->subject->describe();
  return text;
}

}  // namespace soref::engine
