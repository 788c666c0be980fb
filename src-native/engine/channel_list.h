// A first-in-first-out list of channels, linked through the channels themselves, so that a channel
// leaves from the middle at no cost when it is cancelled or forgotten. Owned by an engine. A
// channel is on at most one list at a time; the list's own flag in engine_flags says on which.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "engine/engine.h"

namespace soref::engine {

class ChannelList {
 public:
  explicit ChannelList(std::uint32_t flag) noexcept : flag_(flag) {}
  ChannelList(const ChannelList&) = delete;
  ChannelList& operator=(const ChannelList&) = delete;

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] bool contains(const Channel& channel) const noexcept {
    return (channel.engine_flags & flag_) != 0;
  }

  void push_back(Channel& channel) noexcept {
    SOREF_ASSERT(
        !contains(channel) && channel.engine_next == nullptr && channel.engine_previous == nullptr,
        "a channel is on one list at most");
    channel.engine_flags |= flag_;
    channel.engine_previous = last_;
    (last_ != nullptr ? last_->engine_next : first_) = &channel;
    last_ = &channel;
    ++count_;
  }

  // Takes the channel off, if it is on this list.
  void remove(Channel& channel) noexcept {
    if (!contains(channel)) return;
    Channel* next = channel.engine_next;
    Channel* previous = channel.engine_previous;
    (previous != nullptr ? previous->engine_next : first_) = next;
    (next != nullptr ? next->engine_previous : last_) = previous;
    channel.engine_next = nullptr;
    channel.engine_previous = nullptr;
    channel.engine_flags &= ~flag_;
    --count_;
  }

  // The list must not be empty.
  [[nodiscard]] Channel& pop_front() noexcept {
    SOREF_ASSERT(first_ != nullptr, "a channel is popped from a list that has one");
    Channel& channel = *first_;
    remove(channel);
    return channel;
  }

 private:
  std::uint32_t flag_;
  std::size_t count_ = 0;
  Channel* first_ = nullptr;
  Channel* last_ = nullptr;
};

}  // namespace soref::engine
