// One io_uring instance and the descriptor by which it wakes an event loop. Owned by the io_uring
// engine, and for a moment by the probe. Compiled only where liburing is found.
#pragma once

#if SOREF_HAVE_LIBURING

#include <liburing.h>

#include <optional>
#include <span>

#include "engine/own_descriptor.h"

namespace soref::engine {

// A way to run a ring; which of them works is found out by trying (uring_probe.h).
struct RingMode {
  const char* name;
  unsigned setup_flags;
  // Wake-ups come through a registered eventfd, else through the ring's own descriptor.
  bool eventfd;
  // A receive goes on up to a limit of bytes, else it takes one buffer.
  bool limited_receives;
};

// From the best to the most widely available.
[[nodiscard]] std::span<const RingMode> ring_modes() noexcept;

class Ring {
 public:
  Ring() noexcept = default;
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // 0 or a negative errno. Once only.
  [[nodiscard]] int open(const RingMode& mode, unsigned entries,
                         unsigned completion_entries) noexcept;

  // For liburing's functions.
  [[nodiscard]] io_uring* get() noexcept { return &ring_; }
  [[nodiscard]] const io_uring* get() const noexcept { return &ring_; }
  [[nodiscard]] unsigned features() const noexcept { return ring_.features; }

  [[nodiscard]] int wakeup_descriptor() const noexcept;
  // Reads the eventfd, if that is what wakes. True if that took a system call.
  bool acknowledge_wakeup() noexcept;

  // While disarmed, the eventfd is not written to, so that completions that the caller is about to
  // see anyway do not wake it again. After arming, the caller must look once more at has_more() and
  // at the completion ring before it blocks.
  void arm_wakeup() noexcept;
  void disarm_wakeup() noexcept;

  // Whether completions wait inside the kernel until somebody enters it.
  [[nodiscard]] bool has_more() const noexcept;

 private:
  io_uring ring_{};
  bool open_ = false;
  std::optional<OwnDescriptor> eventfd_;
};

}  // namespace soref::engine

#endif  // SOREF_HAVE_LIBURING
