// The states of a socket and the tables of their legal transitions. Only the two setters of
// socket::Socket change a state, and they ask these tables.
#pragma once

#include <cstddef>
#include <cstdint>

namespace soref::socket {

// The life of a socket, from allocation to release.
enum class Life : std::uint8_t {
  allocated,  // exists, no control block
  attached,   // has a control block
  queued,     // complete, on a listener's accept queue, nobody's yet
  open,       // a consumer holds it
  closing,    // its last consumer has gone; references remain
  detached,   // the control block is gone; freed next
};

// What its connection is doing; orthogonal to its life.
enum class Connection : std::uint8_t { idle, connecting, connected, disconnected, listening };

inline constexpr std::size_t kLives = 6;
inline constexpr std::size_t kConnections = 5;

[[nodiscard]] bool is_legal(Life from, Life to) noexcept;
[[nodiscard]] bool is_legal(Connection from, Connection to) noexcept;
[[nodiscard]] const char* to_string(Life life) noexcept;
[[nodiscard]] const char* to_string(Connection connection) noexcept;

}  // namespace soref::socket
