// What requests inside the simulated ring do, and how they complete.
#if SOREF_HAVE_LIBURING

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/assert.h"
#include "simulated_ring.h"

namespace soref::faults {

bool SimulatedRing::can_run(const Request& request) const {
  return request.cancelled || can_go_on(request);
}

bool SimulatedRing::can_go_on(const Request& request) const {
  if (request.error != 0) return true;
  const Endpoint& endpoint = *request.endpoint;
  switch (request.entry.opcode) {
    case IORING_OP_ACCEPT:
    case IORING_OP_RECV:
      return kernel_->can_read(endpoint);
    case IORING_OP_POLL_ADD:
      if (endpoint.state == EndpointState::connecting) {
        return kernel_->can_finish_connect(endpoint);
      }
      return (request.entry.poll32_events & POLLIN) != 0 ? kernel_->can_read(endpoint)
                                                         : kernel_->can_write(endpoint);
    default:
      return kernel_->can_write(endpoint);
  }
}

bool SimulatedRing::is_ready(const Request& request) const {
  return request.due <= kernel_->now() && can_run(request);
}

void SimulatedRing::run(Request& request) {
  // A cancellation that finds its request able to go on may come too late.
  if (request.cancelled && (!can_go_on(request) || choices_->below(2) == 0)) {
    return post(request, -ECANCELED);
  }
  if (request.error != 0) return post(request, request.error);
  switch (request.entry.opcode) {
    case IORING_OP_ACCEPT:
      return run_accept(request);
    case IORING_OP_RECV:
      return run_receive(request);
    case IORING_OP_POLL_ADD:
      return run_poll(request);
    default:
      return run_send(request);
  }
}

void SimulatedRing::run_accept(Request& request) {
  const int result = kernel_->accept(request.entry.fd);
  const bool multishot = (request.entry.ioprio & IORING_ACCEPT_MULTISHOT) != 0;
  // A kernel may end it after any connection, and does so where completions find no room.
  const bool goes_on = result >= 0 && multishot && overflow_.empty() && !request.cancelled &&
                       !choices_->one_in(behaviour_.ends_early);
  post(request, result, goes_on ? IORING_CQE_F_MORE : 0U);
}

void SimulatedRing::run_receive(Request& request) {
  if (buffers() == 0) return post(request, -ENOBUFS);
  const io_uring_buf& buffer = buffer_ring_->bufs[buffer_head_ & (buffer_count_ - 1)];
  auto* memory = reinterpret_cast<std::byte*>(buffer.addr);
  const int result = kernel_->receive(request.entry.fd, {memory, buffer.len});
  // Some kernels name the buffer of a receive that got nothing, and others keep it.
  const bool uses_buffer = result > 0 || (result == 0 && choices_->one_in(2));
  unsigned flags = 0;
  if (uses_buffer) {
    flags = IORING_CQE_F_BUFFER | static_cast<unsigned>(buffer.bid) << IORING_CQE_BUFFER_SHIFT;
    ++buffer_head_;
  }
  if (result > 0 && (request.entry.ioprio & IORING_RECV_MULTISHOT) != 0 && !request.cancelled) {
    request.received += static_cast<std::uint32_t>(result);
    // Where liburing 2.3 has file_index, kernels that know limits read optlen.
    if (request.received < request.entry.file_index) flags |= IORING_CQE_F_MORE;
  }
  post(request, result, flags);
}

void SimulatedRing::run_send(Request& request) {
  msghdr message{};
  iovec piece{};
  if (request.entry.opcode == IORING_OP_SENDMSG) {
    message = *reinterpret_cast<const msghdr*>(request.entry.addr);
  } else {
    piece = {reinterpret_cast<void*>(request.entry.addr), request.entry.len};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
  }
  // It may end with less than all, although it is asked to wait: a kernel does so for a signal.
  post(request, kernel_->send_more(*request.endpoint, message));
}

void SimulatedRing::run_poll(Request& request) {
  if (request.endpoint->state == EndpointState::connecting) {
    static_cast<void>(kernel_->finish_connect(request.entry.fd));
  }
  post(request, static_cast<int>(request.entry.poll32_events));
}

}  // namespace soref::faults

#endif  // SOREF_HAVE_LIBURING
