// The ledger of one environment: what was attached and detached, which references live, what the
// kernel still owes. Each counter is written at the one place where its invariant could break;
// everybody may read. One environment is one thread, so the counters are plain integers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "base/reference.h"

namespace soref::base {

struct Ledger final : Subject {
  std::uint64_t attach_attempted = 0;
  std::uint64_t attached = 0;  // attach succeeded
  std::uint64_t attach_failed = 0;
  std::uint64_t detached = 0;
  std::array<std::uint64_t, kReferenceTags> references{};  // held now, by tag

  std::uint64_t operations_submitted = 0;
  std::uint64_t operations_completed = 0;  // final completions
  std::uint64_t events_queued = 0;
  std::uint64_t events_delivered = 0;
  std::uint64_t stale_names = 0;     // commands that named a socket which is no more
  std::uint64_t bad_commands = 0;    // commands that no soref ever writes
  std::uint64_t descriptors = 0;     // open now
  std::uint64_t pinned_buffers = 0;  // JavaScript memory that the kernel may read, now
  std::uint64_t accepts_paused = 0;  // times a listener ran out of descriptors or memory

  [[nodiscard]] std::uint64_t live() const noexcept { return attached - detached; }
  [[nodiscard]] std::uint64_t& held(Reference tag) noexcept {
    return references[static_cast<std::size_t>(tag)];
  }
  [[nodiscard]] std::uint64_t all_references() const noexcept {
    std::uint64_t sum = 0;
    for (const std::uint64_t held : references) sum += held;
    return sum;
  }
  [[nodiscard]] std::uint64_t operations_in_flight() const noexcept {
    return operations_submitted - operations_completed;
  }
  [[nodiscard]] std::uint64_t events_waiting() const noexcept {
    return events_queued - events_delivered;
  }
  [[nodiscard]] std::string describe() const override;
};

}  // namespace soref::base
