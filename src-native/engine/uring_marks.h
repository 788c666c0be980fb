// How the io_uring engine marks channels, and the completions that belong to them. Private to
// uring_engine.cpp and uring_completions.cpp.
#pragma once

#include <cstdint>

#include "engine/engine.h"

namespace soref::engine {

// Channel::engine_flags of this engine.
inline constexpr std::uint32_t kReadInKernel = 1u << 0;
inline constexpr std::uint32_t kWriteInKernel = 1u << 1;
inline constexpr std::uint32_t kRestartRead = 1u << 2;
inline constexpr std::uint32_t kRestartWrite = 1u << 3;
// The next entry only waits until the descriptor is ready. Needed where somebody else, who shares
// the open file, has made it non-blocking: older kernels then fail with EAGAIN instead of waiting
// (io_uring_enter(2), IORING_OP_ACCEPT). An accept from a listener that has other users always
// waits so.
inline constexpr std::uint32_t kPollRead = 1u << 4;
inline constexpr std::uint32_t kPollWrite = 1u << 5;
inline constexpr std::uint32_t kOnRestart = 1u << 6;
inline constexpr std::uint32_t kOnStarved = 1u << 7;
// The kernel was asked to cancel the operation, and is asked again until it has ended.
inline constexpr std::uint32_t kCancelRead = 1u << 8;
inline constexpr std::uint32_t kCancelWrite = 1u << 9;

// What a completion is about: a channel's address, with the direction in its low bits.
inline constexpr std::uint64_t kTagMask = 3;
inline constexpr std::uint64_t kReadTag = 0;
inline constexpr std::uint64_t kWriteTag = 1;
inline constexpr std::uint64_t kCancelTag = 2;
static_assert(alignof(Channel) > kTagMask);

}  // namespace soref::engine
