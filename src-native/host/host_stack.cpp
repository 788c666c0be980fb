// Starts operations and turns their completions into upcalls. This is the one place where a
// completion is taken out of the engine.
#include "host/host_stack.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/assert.h"
#include "host/kernel_protocol.h"

namespace soref::host {

namespace {

bool is_exhaustion(int error) {
  return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM;
}

}  // namespace

void HostStack::register_protocols(protocol::Switch& protocols) {
  protocols.add(protocol::Family::tcp4,
                std::make_unique<KernelProtocol>(*this, std::make_unique<Inet4Codec>()));
  protocols.add(protocol::Family::tcp6,
                std::make_unique<KernelProtocol>(*this, std::make_unique<Inet6Codec>()));
  protocols.add(protocol::Family::local,
                std::make_unique<KernelProtocol>(*this, std::make_unique<LocalCodec>()));
}

// --- descriptors

void HostStack::own(ControlBlock& block) noexcept {
  const int number = block.descriptor.number();
  if (ControlBlock* loser = owners_.of(number)) lose(*loser);
  owners_.set(number, &block);
}

void HostStack::disown(ControlBlock& block) noexcept {
  if (block.descriptor.is_open()) owners_.set(block.descriptor.number(), nullptr);
}

void HostStack::lose(ControlBlock& block) noexcept {
  if (!block.descriptor.is_open()) return;
  disown(block);
  static_cast<void>(block.descriptor.release());
  block.channel.descriptor = -1;
  // What waits for the descriptor would wait for ever. A reader asks again, and hears of it.
  if (block.channel.read_state == engine::OperationState::in_flight) {
    engine_->cancel_read(block.channel);
  }
}

void HostStack::keep(ControlBlock& block) noexcept { kept_.emplace_back(&block); }

int HostStack::checked(ControlBlock& block, int result) noexcept {
  if (result != -EBADF && result != -ENOTSOCK) return result;
  lose(block);
  return -EBADF;
}

void HostStack::forget(ControlBlock& block) noexcept {
  if (block.forgotten) return;
  SOREF_ASSERT_ABOUT(block.channel.idle(),
                     "a descriptor is closed, or leaves, only without operations in flight",
                     *block.socket);
  block.forgotten = true;
  if (!engine_->forget(block.channel)) lose(block);
  disown(block);
}

void HostStack::close_unused(ControlBlock& block) noexcept {
  if (!block.left || !block.channel.idle()) return;
  forget(block);
  block.descriptor.reset();
}

// --- starting

namespace {

// Each operation has a reference from before its submission until its final completion.
void hold_operation(ControlBlock& block, protocol::Hold& hold, base::Cause cause) noexcept {
  SOREF_ASSERT_ABOUT(!hold.held(), "one operation per direction, each with its reference",
                     *block.socket);
  SOREF_ASSERT_ABOUT(!block.leaving || (block.left && &hold == &block.writing),
                     "nothing starts on a socket that is leaving, but for its last sends",
                     *block.socket);
  hold = protocol::Hold(*block.socket, base::Reference::operation, cause);
}

}  // namespace

void HostStack::enter_engine_mode(ControlBlock& block) noexcept {
  if (block.engine_mode) return;
  int nonblocking = block.channel.shared || engine_->wants_nonblocking() ? 1 : 0;
  ::ioctl(block.descriptor.number(), FIONBIO, &nonblocking);
  block.engine_mode = true;
}

void HostStack::start_accept(ControlBlock& block) noexcept {
  enter_engine_mode(block);
  hold_operation(block, block.reading, base::Cause("accept"));
  engine_->accept(block.channel);
}

void HostStack::start_receive(ControlBlock& block) noexcept {
  enter_engine_mode(block);
  hold_operation(block, block.reading, base::Cause("receive"));
  engine_->receive(block.channel);
}

void HostStack::start_send(ControlBlock& block) noexcept {
  enter_engine_mode(block);
  std::array<iovec, engine::kMaximumPieces> pieces;
  protocol::SendQueue& outgoing = block.socket->outgoing();
  const std::size_t count = outgoing.front(pieces);
  block.channel.end_follows = outgoing.end_follows();
  block.channel.awaited = outgoing.end_follows() || block.left;
  hold_operation(block, block.writing, base::Cause("send"));
  engine_->send(block.channel, std::span(pieces.data(), count));
}

void HostStack::start_connect(ControlBlock& block) noexcept {
  hold_operation(block, block.writing, base::Cause("connect"));
  engine_->connect(block.channel);
}

void HostStack::cancel(ControlBlock& block) noexcept {
  // It would otherwise accept again, after its close, when descriptors become free.
  if (block.listening) std::erase(paused_, &block);
  engine_->cancel_read(block.channel);
  engine_->cancel_write(block.channel);
}

// --- completing

bool HostStack::complete_next() noexcept {
  SOREF_ASSERT_ABOUT(ledger_->held(base::Reference::operation) == ledger_->operations_in_flight(),
                     "references of operations are as many as operations in flight", *ledger_);
  engine::Completion completion;
  if (!engine_->next(completion)) return false;
  auto& block = *static_cast<ControlBlock*>(completion.channel->owner);
  // The reference of a finished operation lives until the upcalls are through.
  protocol::Hold finished;
  const bool reads =
      completion.kind == engine::Kind::accept || completion.kind == engine::Kind::receive;
  if (completion.final) {
    finished = std::move(reads ? block.reading : block.writing);
    completion.result = checked(block, completion.result);
  }
  switch (completion.kind) {
    case engine::Kind::accept:
      complete_accept(block, completion);
      break;
    case engine::Kind::receive:
      complete_receive(block, completion);
      break;
    case engine::Kind::connect:
      if (!block.leaving) block.socket->connected(completion.result);
      break;
    case engine::Kind::send:
      complete_send(block, completion);
      break;
  }
  close_unused(block);
  return true;
}

void HostStack::complete_accept(ControlBlock& block,
                                const engine::Completion& completion) noexcept {
  if (completion.result >= 0) block.socket->incoming(completion.result);
  if (!completion.final || block.leaving) return;
  if (is_exhaustion(completion.result)) {
    ++ledger_->accepts_paused;
    paused_.push_back(&block);
  } else {
    // The engine has tried again wherever that could help.
    block.socket->incoming_failed(block.descriptor.is_open() ? completion.result : -EBADF);
  }
}

void HostStack::retry_accepts() noexcept {
  std::vector<ControlBlock*> waiting;
  waiting.swap(paused_);
  for (ControlBlock* block : waiting) start_accept(*block);
}

void HostStack::complete_receive(ControlBlock& block,
                                 const engine::Completion& completion) noexcept {
  // What has broken the connection ends it for the reader too, as it would have without a send.
  const std::int32_t result = completion.result == 0 ? block.channel.broken_by : completion.result;
  if (result > 0) {
    block.socket->received({completion.buffer, static_cast<std::uint32_t>(result)});
  } else if (result == 0) {
    block.receive_wanted = false;
    block.socket->received_end();
  } else if (result != -ECANCELED) {
    block.receive_wanted = false;
    block.socket->receive_failed(result);
  } else if (block.receive_wanted && !block.leaving) {
    // Credit came back while the cancellation was under way.
    start_receive(block);
  }
}

void HostStack::send_on(ControlBlock& block) noexcept {
  const protocol::SendQueue& rest = block.socket->outgoing();
  if (!block.leaving) {
    if (!rest.empty()) start_send(block);
  } else if (block.left && rest.untried()) {
    // The kernel has taken all that it was given, so it may have room for what was written after.
    start_send(block);
    engine_->cancel_write(block.channel);
  }
}

void HostStack::complete_send(ControlBlock& block, const engine::Completion& completion) noexcept {
  if (completion.result >= 0) {
    block.socket->sent(static_cast<std::size_t>(completion.result));
    send_on(block);
  } else if (completion.result != -ECANCELED) {
    block.socket->send_failed(completion.result);
  }
}

}  // namespace soref::host
