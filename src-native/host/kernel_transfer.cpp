// Bytes over kernel sockets, and how such a socket ends: shutdown, close, abort, release.
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/assert.h"
#include "host/kernel_protocol.h"

namespace soref::host {

namespace {

bool reads(const ControlBlock& block) {
  return block.channel.read_state != engine::OperationState::idle;
}

bool writes(const ControlBlock& block) {
  return block.channel.write_state != engine::OperationState::idle;
}

}  // namespace

void KernelProtocol::receive(protocol::ControlBlock& block, bool wanted) noexcept {
  ControlBlock& mine = kernel(block);
  if (mine.leaving) return;
  mine.receive_wanted = wanted;
  if (wanted && !reads(mine)) {
    remember_peer(mine);
    stack_->start_receive(mine);
  } else if (!wanted && mine.channel.read_state == engine::OperationState::in_flight) {
    stack_->engine().cancel_read(mine.channel);
  }
}

void KernelProtocol::send(protocol::ControlBlock& block) noexcept {
  ControlBlock& mine = kernel(block);
  // Whatever is in flight goes on with the rest when it completes.
  if (!writes(mine)) stack_->start_send(mine);
}

int KernelProtocol::shutdown(protocol::ControlBlock& block) noexcept {
  ControlBlock& mine = kernel(block);
  if (::shutdown(mine.descriptor.number(), SHUT_WR) == 0) return 0;
  return stack_->checked(mine, -errno);
}

// The path goes with its listener, before the descriptor, so that nobody connects to a name that
// leads nowhere.
void KernelProtocol::remove_path(const ControlBlock& block) noexcept {
  if (block.bound_path != nullptr) ::unlink(block.bound_path->c_str());
}

// Ends what is in flight; nothing starts after this.
void KernelProtocol::quiesce(protocol::ControlBlock& block) noexcept {
  ControlBlock& mine = kernel(block);
  mine.leaving = true;
  mine.receive_wanted = false;
  stack_->cancel(mine);
}

void KernelProtocol::leave(ControlBlock& block) noexcept {
  SOREF_ASSERT_ABOUT(!block.left, "one close or abort, and no second", *block.socket);
  block.left = true;
  // A send that is cancelled at once still sends what the kernel takes without waiting.
  if (block.descriptor.is_open() && !block.leaving && !writes(block) &&
      !block.socket->outgoing().empty()) {
    stack_->start_send(block);
  }
  quiesce(block);
  // Where nothing is to be waited for, close(2) would overtake what others were given to send.
  if (block.channel.idle()) stack_->engine().hand_over();
  stack_->close_unused(block);
}

void KernelProtocol::close(protocol::ControlBlock& block) noexcept {
  ControlBlock& mine = kernel(block);
  remove_path(mine);
  leave(mine);
}

void KernelProtocol::abort(protocol::ControlBlock& block) noexcept {
  ControlBlock& mine = kernel(block);
  remove_path(mine);
  static_cast<void>(set_option(block, protocol::Option::reset_on_close, 1));
  leave(mine);
}

int KernelProtocol::release(protocol::ControlBlock& block) noexcept {
  ControlBlock& mine = kernel(block);
  stack_->forget(mine);
  mine.bound_path.reset();
  return mine.descriptor.release();
}

void KernelProtocol::discard(int resource) noexcept { ::close(resource); }

}  // namespace soref::host
