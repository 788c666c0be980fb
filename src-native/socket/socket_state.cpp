// The transition tables. A row is a state, its bits are the states that may follow.
#include "socket/socket_state.h"

#include <array>
#include <cstddef>

namespace soref::socket {

namespace {

template <typename State>
constexpr std::uint8_t bit(State state) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(state));
}

template <typename... States>
constexpr std::uint8_t to(States... states) {
  return static_cast<std::uint8_t>((0U | ... | bit(states)));
}

constexpr std::array<std::uint8_t, kLives> kLife = {
    to(Life::attached),                           // allocated: a failed attach frees it from here
    to(Life::queued, Life::open, Life::closing),  // attached
    to(Life::open, Life::closing),                // queued: accepted, or aborted with its listener
    to(Life::closing),                            // open
    to(Life::detached),                           // closing
    to(),                                         // detached
};

constexpr std::array<std::uint8_t, kConnections> kConnection = {
    to(Connection::connecting, Connection::connected, Connection::listening,
       Connection::disconnected),                         // idle
    to(Connection::connected, Connection::disconnected),  // connecting
    to(Connection::disconnected),                         // connected
    to(),                                                 // disconnected
    to(Connection::disconnected),                         // listening
};

constexpr std::array<const char*, kLives> kLifeNames = {"allocated", "attached", "queued",
                                                        "open",      "closing",  "detached"};
constexpr std::array<const char*, kConnections> kConnectionNames = {
    "idle", "connecting", "connected", "disconnected", "listening"};

}  // namespace

bool is_legal(Life from, Life to) noexcept {
  return (kLife[static_cast<std::size_t>(from)] & bit(to)) != 0;
}

bool is_legal(Connection from, Connection to) noexcept {
  return (kConnection[static_cast<std::size_t>(from)] & bit(to)) != 0;
}

const char* to_string(Life life) noexcept { return kLifeNames[static_cast<std::size_t>(life)]; }

const char* to_string(Connection connection) noexcept {
  return kConnectionNames[static_cast<std::size_t>(connection)];
}

}  // namespace soref::socket
