// The memory that JavaScript and the core share, and its layout: a header, the turn's commands and
// the events being delivered, all 32-bit integers. JavaScript learns the layout from the addon's
// `layout` export, so these constants are the only statement of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace soref::core {

// Header fields.
enum class Header : std::uint32_t {
  commands_length = 0,  // integers written to the command region in this turn
  event_count = 1,
  event_cursor = 2,  // the next event to dispatch; JavaScript moves it before it runs a listener
  drains = 3,        // counts drains of the command region: the transmit memory is free again
  turn = 4,          // counts turns of the loop
  result_slot = 5,   // second and third result of calls that make a socket
  result_generation = 6,
};
inline constexpr std::uint32_t kHeaderLength = 16;

// A command: what, slot, generation, three arguments.
inline constexpr std::uint32_t kCommandLength = 6;
inline constexpr std::uint32_t kCommandCapacity = 8192;
// An event: what, slot, generation, two arguments.
inline constexpr std::uint32_t kEventLength = 5;
inline constexpr std::uint32_t kEventCapacity = 4096;

inline constexpr std::uint32_t kCommandsAt = kHeaderLength;
inline constexpr std::uint32_t kEventsAt = kCommandsAt + kCommandLength * kCommandCapacity;
inline constexpr std::uint32_t kControlLength = kEventsAt + kEventLength * kEventCapacity;

// Small writes of a turn travel through here; they are copied out when the commands are drained.
inline constexpr std::uint32_t kTransmitSize = 1024 * 1024;
// Received bytes land here, one buffer per receive. Untouched pages cost nothing.
inline constexpr std::uint32_t kReceiveBufferSize = 64 * 1024;
inline constexpr std::uint32_t kReceiveBufferCount = 256;

enum class Command : std::int32_t {
  receive = 1,  // wanted
  send = 2,     // offset and length in the transmit memory, notify
  shutdown = 3,
  close = 4,   // reset
  option = 5,  // option, value
};

struct SharedMemory {
  std::span<std::int32_t> control;
  std::span<const std::byte> transmit;
  std::span<std::byte> receive;

  [[nodiscard]] std::int32_t& header(Header field) const noexcept {
    return control[static_cast<std::uint32_t>(field)];
  }
};

}  // namespace soref::core
