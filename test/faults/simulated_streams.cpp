// Bytes of the simulated kernel: what one endpoint sends, the other one receives once, in order.
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/assert.h"
#include "simulated_kernel.h"

namespace soref::faults {

// A transfer of `most` bytes, or one in `rate` times of fewer, but of one at least.
std::size_t SimulatedKernel::some_of(std::size_t most, std::uint32_t rate) {
  if (most < 2 || !choices_->one_in(rate)) return most;
  return choices_->between(1, static_cast<std::uint32_t>(most));
}

std::size_t SimulatedKernel::room(const Endpoint& endpoint) const noexcept {
  const std::uint64_t on_their_way = endpoint.sent - endpoint.peer->received;
  return limits_.stream - std::min<std::uint64_t>(limits_.stream, on_their_way);
}

bool SimulatedKernel::can_read(const Endpoint& endpoint) const noexcept {
  if (endpoint.state == EndpointState::listening) return !endpoint.backlog.empty();
  if (endpoint.state != EndpointState::connected || endpoint.reset) return true;
  return endpoint.peer->sent > endpoint.received || endpoint.peer->end_sent;
}

bool SimulatedKernel::can_write(const Endpoint& endpoint) const noexcept {
  if (endpoint.state != EndpointState::connected || endpoint.reset || endpoint.end_sent) {
    return true;
  }
  return endpoint.peer->state == EndpointState::closed || room(endpoint) > 0;
}

int SimulatedKernel::receive(int descriptor, std::span<std::byte> buffer) {
  Endpoint& endpoint = *find(descriptor);
  if (endpoint.state != EndpointState::connected) return -ENOTCONN;
  if (endpoint.reset) {
    if (endpoint.reset_reported) return 0;
    endpoint.reset_reported = true;
    return -ECONNRESET;
  }
  const Endpoint& peer = *endpoint.peer;
  const std::size_t arrived = std::min<std::uint64_t>(peer.sent - endpoint.received, buffer.size());
  if (arrived == 0) return peer.end_sent ? 0 : -EAGAIN;
  const std::size_t count = some_of(arrived, limits_.short_receives);
  for (std::size_t at = 0; at < count; ++at) {
    buffer[at] = byte_of(peer.id, endpoint.received + at);
  }
  endpoint.received += count;
  make_room(*endpoint.peer);
  return static_cast<int>(count);
}

void SimulatedKernel::make_room(Endpoint& endpoint) {
  if (std::exchange(endpoint.short_of_room, false)) changed(endpoint);
}

int SimulatedKernel::send(int descriptor, const msghdr& message) {
  Endpoint& endpoint = *find(descriptor);
  if (const int error = fault(Call::send, endpoint)) {
    if (error == -EAGAIN) endpoint.short_of_room = true;
    return error;
  }
  return send_more(endpoint, message);
}

int SimulatedKernel::send_more(Endpoint& endpoint, const msghdr& message) {
  if (endpoint.state != EndpointState::connected) return -ENOTCONN;
  if (endpoint.reset && !endpoint.reset_reported) {
    endpoint.reset_reported = true;
    return -ECONNRESET;
  }
  if (endpoint.reset || endpoint.end_sent) return -EPIPE;
  Endpoint& peer = *endpoint.peer;
  const std::span<const iovec> pieces(message.msg_iov, message.msg_iovlen);
  std::size_t wanted = 0;
  for (const iovec& piece : pieces) wanted += piece.iov_len;
  SOREF_ASSERT(wanted > 0, "a send has something to send");
  // What a peer that is gone gets, it answers with a reset.
  const bool peer_is_gone = peer.state == EndpointState::closed;
  const std::size_t possible = peer_is_gone ? wanted : std::min(wanted, room(endpoint));
  if (possible == 0) {
    endpoint.short_of_room = true;
    return -EAGAIN;
  }
  const std::size_t count = some_of(possible, limits_.short_sends);
  std::size_t left = count;
  for (const iovec& piece : pieces) {
    const std::size_t taken = std::min(left, piece.iov_len);
    const std::span bytes(static_cast<const std::byte*>(piece.iov_base), taken);
    for (const std::byte byte : bytes) {
      SOREF_ASSERT(byte == byte_of(endpoint.id, endpoint.sent),
                   "bytes leave once each, in the order in which they were written");
      ++endpoint.sent;
    }
    left -= taken;
  }
  endpoint.reset = peer_is_gone;
  changed(peer_is_gone ? endpoint : peer);
  return static_cast<int>(count);
}

int SimulatedKernel::shutdown(int descriptor) {
  Endpoint& endpoint = *find(descriptor);
  if (const int error = fault(Call::shutdown, endpoint)) return error;
  if (endpoint.state != EndpointState::connected) return -ENOTCONN;
  endpoint.end_sent = true;
  changed(*endpoint.peer);
  return 0;
}

// --- the outside

Endpoint* SimulatedKernel::connect_from_outside(Endpoint& listener) {
  if (listener.backlog.size() >= listener.backlog_limit) return nullptr;
  Endpoint& client = make_endpoint(listener.domain);
  client.outside = true;
  client.remote = listener.local;
  establish(client, listener);
  return &client;
}

std::size_t SimulatedKernel::send_from_outside(Endpoint& outside, std::size_t bytes) {
  if (outside.state != EndpointState::connected || outside.end_sent || outside.reset) return 0;
  const std::size_t count = std::min(bytes, room(outside));
  if (outside.peer->state == EndpointState::closed) {
    outside.reset = true;
    return 0;
  }
  outside.sent += count;
  changed(*outside.peer);
  return count;
}

std::size_t SimulatedKernel::receive_outside(Endpoint& outside, std::size_t bytes) {
  if (outside.state != EndpointState::connected) return 0;
  const std::uint64_t arrived = outside.peer->sent - outside.received;
  const std::size_t count = std::min<std::uint64_t>(arrived, bytes);
  outside.received += count;
  if (count > 0) make_room(*outside.peer);
  return count;
}

void SimulatedKernel::end_from_outside(Endpoint& outside) {
  if (outside.state != EndpointState::connected) return;
  outside.end_sent = true;
  changed(*outside.peer);
}

void SimulatedKernel::close_outside(Endpoint& outside, bool reset) {
  if (outside.state == EndpointState::connected) leave(outside, reset);
}

}  // namespace soref::faults
