// A send on its way: tried at once, with the rest of what did not fit, or not started yet.
// Allocated when there is something to keep and freed when it is sent; the engine owns it through
// Channel::pending_send.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/engine.h"

namespace soref::engine {

struct PendingSend {
  msghdr message{};  // of the pieces that are left; the kernel may read it while it sends
  std::array<iovec, kMaximumPieces> pieces{};
  std::size_t sent = 0;
  std::size_t left = 0;

  // Copies the array of pieces, less the `already_sent` first bytes of them.
  PendingSend(std::span<const iovec> all, std::size_t already_sent) noexcept;
  PendingSend(const PendingSend&) = delete;
  PendingSend& operator=(const PendingSend&) = delete;

  // `bytes` more have left.
  void advance(std::size_t bytes) noexcept;
};

// Sends what leaves at once: sendmsg(2) that neither blocks nor raises SIGPIPE. The result if that
// ends the send: the bytes sent, all of them (but at most kMaximumSendBytes), or a negative errno.
// Else channel.pending_send has the rest, and -EAGAIN says that the socket takes no more now, 0
// that it took a part.
struct FirstSend {
  bool ended = false;
  std::int32_t result = 0;
};
[[nodiscard]] FirstSend send_at_once(Channel& channel, std::span<const iovec> pieces) noexcept;

// One sendmsg(2) of that kind, tried again when a signal interrupts it.
[[nodiscard]] std::int32_t send_now(const Channel& channel, const msghdr& message) noexcept;

// The final result of a send that ends with `error`, a negative errno: the bytes that left, if any
// did. The error is then kept for the next send, since the socket reports it only once.
[[nodiscard]] std::int32_t failed_send_result(Channel& channel, std::size_t sent,
                                              std::int32_t error) noexcept;

}  // namespace soref::engine
