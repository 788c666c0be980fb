// The turn, and the end of an environment.
#include "core/core.h"

#include <sys/uio.h>

#include <array>
#include <utility>

#include "base/assert.h"

namespace soref::core {

Core::Core(std::unique_ptr<engine::Engine> engine, const SharedMemory& memory,
           std::unique_ptr<base::Ledger> ledger)
    : memory_(memory),
      ledger_(std::move(ledger)),
      stack_(std::move(engine), *ledger_),
      events_(stack_, *ledger_),
      layer_(protocols_, events_, *ledger_),
      commands_(memory_, layer_) {
  stack_.register_protocols(protocols_);
}

Core::~Core() = default;

// --- the turn

bool Core::complete() noexcept {
  bool any = false;
  while (stack_.complete_next()) {
    layer_.reclaim();
    any = true;
  }
  return any;
}

void Core::drain() noexcept {
  while (commands_.drain()) send();
  layer_.reclaim();
}

// Others see connections end and bytes arrive in the order in which the program closed and wrote:
// what was closed before is closed now, also where that takes the end of an operation.
void Core::send() noexcept {
  layer_.reclaim();
  finish_closing();
  layer_.flush();
}

// Operations that were cancelled end within a visit or two to the kernel. What else holds a closing
// socket is not waited for: meanwhile other sockets complete, and they may never pause.
void Core::finish_closing() noexcept {
  while (layer_.closing_operations() > 0) {
    engine().submit();
    if (!complete()) break;
  }
}

void Core::retry_accepts_after_close() noexcept {
  if (!stack_.has_paused_accepts()) return;
  if (ledger_->detached != detached_at_retry_) {
    detached_at_retry_ = ledger_->detached;
    stack_.retry_accepts();
  }
}

bool Core::end_turn() noexcept {
  drain();
  retry_accepts_after_close();
  send();
  layer_.update_receiving();
  engine().submit();
  // A completion may start an operation, which must reach the kernel before the loop blocks. What
  // that completes at once waits for the next turn: a sender that never pauses must not keep us
  // here.
  if (complete()) engine().submit();
  layer_.report_blocked();
  memory_.header(Header::turn) = static_cast<std::int32_t>(++turn_);
  return !events_.empty() || engine().has_work();
}

bool Core::flush() noexcept {
  end_turn();
  return events_.tells_of_unsent();
}

void Core::begin_turn() noexcept {
  engine().reap();
  complete();
}

void Core::deliver(const std::function<void()>& dispatch) noexcept {
  events_.admit_ends();
  events_.admit_arrivals();
  // A consumer that runs the loop itself gets the rest of its batch first.
  while (events_.batch_size() > 0 || events_.fill(memory_, layer_) > 0) {
    const std::int32_t& cursor = memory_.header(Header::event_cursor);
    while (cursor < static_cast<std::int32_t>(events_.batch_size())) {
      const std::int32_t before = cursor;
      dispatch();
      // No progress: the consumers cannot run any more, since the environment is ending, or write
      // there what they like.
      if (cursor <= before) break;
    }
    events_.settle(layer_);
    layer_.reclaim();
  }
}

// --- calls

void Core::settle() noexcept {
  drain();
  finish_closing();
}

void Core::send_now(socket::Socket& socket) noexcept {
  socket.flush();
  complete();
}

void Core::await_operations(socket::Socket& socket) noexcept {
  while (socket.references(base::Reference::operation) > 0) {
    engine().submit();
    if (!complete()) engine().wait(1000);
  }
}

int Core::release(socket::Socket& socket, const TakeBytes& head, const TakeBytes& tail) noexcept {
  // What was written in this turn gets its chance to leave first.
  socket.flush();
  socket.quiesce();
  await_operations(socket);
  for (const protocol::Chunk chunk : events_.take_data(socket)) {
    const std::size_t at = std::size_t{chunk.buffer} * kReceiveBufferSize;
    head(memory_.receive.subspan(at, chunk.length));
    events_.discard(chunk);
  }
  protocol::SendQueue& unsent = socket.outgoing();
  while (!unsent.empty()) {
    std::array<iovec, engine::kMaximumPieces> pieces;
    const std::size_t count = unsent.front(pieces);
    for (const iovec& piece : std::span(pieces.data(), count)) {
      tail({static_cast<const std::byte*>(piece.iov_base), piece.iov_len});
      static_cast<void>(unsent.consume(piece.iov_len));
    }
  }
  const int resource = socket.release();
  socket.close(false);
  layer_.reclaim();
  return resource;
}

// --- the end

void Core::shut_down() noexcept {
  // What was written before the end still leaves.
  drain();
  send();
  engine().submit();
  complete();
  layer_.close_all();
  for (;;) {
    events_.discard_all(layer_);
    layer_.reclaim();
    events_.discard_all(layer_);
    if (layer_.live() == 0) break;
    // Any other reference would keep the process here for ever.
    SOREF_ASSERT_ABOUT(ledger_->held(base::Reference::operation) > 0 ||
                           ledger_->held(base::Reference::protocol) > 0,
                       "what outlives its consumer waits for the kernel or its protocol", *ledger_);
    engine().submit();
    if (!complete()) engine().wait(1000);
  }
  const base::Ledger& ledger = *ledger_;
  SOREF_ASSERT_ABOUT(ledger.descriptors == 0, "no descriptor outlives its environment", ledger);
  SOREF_ASSERT_ABOUT(ledger.operations_in_flight() == 0, "no operation outlives its environment",
                     ledger);
  SOREF_ASSERT_ABOUT(ledger.events_waiting() == 0, "no event outlives its environment", ledger);
  SOREF_ASSERT_ABOUT(ledger.pinned_buffers == 0, "no buffer stays pinned after its environment",
                     ledger);
  SOREF_ASSERT_ABOUT(ledger.all_references() == 0, "no reference outlives its environment", ledger);
}

}  // namespace soref::core
