// What a consumer knows of one socket that it was given, and has asked of it: enough to tell at
// every event whether it may come.
#pragma once

#include <cstdint>
#include <string>

#include "socket/event_sink.h"

namespace soref::faults {

// open: the consumer holds it. closing: it has asked for the end. detached: it has taken the
// resource away. closed: it has seen the last event.
enum class Phase : std::uint8_t { open, closing, detached, closed };

struct Holder {
  socket::SocketName name;
  std::uint32_t endpoint = 0;  // of the simulated kernel
  Phase phase = Phase::open;
  bool listening = false;
  bool accept_failed = false;
  bool connecting = false;
  bool connected = false;
  bool reading = false;
  bool receive_over = false;  // the end or an error of the receiving direction was reported
  bool send_over = false;     // an error of the sending direction was reported
  bool shutdown_asked = false;
  bool shutdown_answered = false;
  bool blocked = false;
  std::uint32_t closed_events = 0;
  std::uint32_t awaited = 0;  // writes whose end is to be reported
  std::uint64_t written = 0;  // bytes, since the endpoint's start
  std::uint64_t received = 0;
  // The core has carried out the close while it delivered this batch: later ones have no event of
  // this socket but the last.
  bool close_carried_out = false;
  std::uint64_t last_batch = 0;

  [[nodiscard]] bool is_open() const noexcept { return phase == Phase::open; }
  [[nodiscard]] bool can_write() const noexcept {
    return is_open() && (connected || connecting) && !send_over && !shutdown_asked;
  }
  [[nodiscard]] std::string describe() const {
    return "socket " + std::to_string(name.slot) + "." + std::to_string(name.generation) +
           " on endpoint " + std::to_string(endpoint);
  }
};

}  // namespace soref::faults
