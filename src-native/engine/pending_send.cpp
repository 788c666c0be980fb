// Sending at once, and the bookkeeping of what did not fit.
#include "engine/pending_send.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/assert.h"

namespace soref::engine {

namespace {

// What one send has to send of `pieces`: all, but at most kMaximumSendBytes.
std::size_t bytes_to_send(std::span<const iovec> pieces) noexcept {
  std::size_t total = 0;
  for (const iovec& piece : pieces) {
    total += std::min(piece.iov_len, kMaximumSendBytes - total);
  }
  return total;
}

}  // namespace

PendingSend::PendingSend(std::span<const iovec> all, std::size_t already_sent) noexcept {
  SOREF_ASSERT(all.size() <= kMaximumPieces, "one send has a limited number of pieces");
  message.msg_iov = pieces.data();
  for (const iovec& piece : all) {
    iovec& copy = pieces[message.msg_iovlen++];
    copy = {piece.iov_base, std::min(piece.iov_len, kMaximumSendBytes - left)};
    left += copy.iov_len;
  }
  advance(already_sent);
}

void PendingSend::advance(std::size_t bytes) noexcept {
  SOREF_ASSERT(bytes <= left, "no more bytes leave than were given");
  sent += bytes;
  left -= bytes;
  while (message.msg_iovlen > 0) {
    iovec& piece = *message.msg_iov;
    const std::size_t taken = std::min(bytes, piece.iov_len);
    piece.iov_base = static_cast<std::byte*>(piece.iov_base) + taken;
    piece.iov_len -= taken;
    bytes -= taken;
    if (piece.iov_len > 0) return;
    ++message.msg_iov;
    --message.msg_iovlen;
  }
}

std::int32_t send_now(const Channel& channel, const msghdr& message) noexcept {
  const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (channel.end_follows ? MSG_MORE : 0);
  for (;;) {
    const ssize_t sent = ::sendmsg(channel.descriptor, &message, flags);
    if (sent >= 0) return static_cast<std::int32_t>(sent);
    if (errno != EINTR) return -errno;
  }
}

FirstSend send_at_once(Channel& channel, std::span<const iovec> pieces) noexcept {
  SOREF_ASSERT(pieces.size() <= kMaximumPieces, "one send has a limited number of pieces");
  if (channel.deferred_send_error != 0)
    return {true, std::exchange(channel.deferred_send_error, 0)};
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  const std::int32_t result = send_now(channel, message);
  if (result < 0 && result != -EAGAIN) return {true, result};
  const std::size_t sent = result > 0 ? static_cast<std::size_t>(result) : 0;
  if (result >= 0 && sent >= bytes_to_send(pieces)) return {true, result};
  channel.pending_send = new PendingSend(pieces, sent);
  return {false, result == -EAGAIN ? -EAGAIN : 0};
}

std::int32_t failed_send_result(Channel& channel, std::size_t sent, std::int32_t error) noexcept {
  if (sent == 0) return error;
  if (error != -ECANCELED) channel.deferred_send_error = error;
  // EPIPE does not tell of a break: a send meets it after a good end, too.
  if (error != -ECANCELED && error != -EPIPE) channel.broken_by = error;
  return static_cast<std::int32_t>(sent);
}

}  // namespace soref::engine
