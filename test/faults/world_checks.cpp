// What must hold when a run has come to rest, and when it is over.
#include "world.h"

namespace soref::faults {

// Nothing can happen any more by itself: so nothing that could happen may be waiting.
void World::check_nothing_forgotten() {
  for (const auto& holder : consumer_->holders()) {
    if (holder->is_open()) check_holder(*holder);
  }
  core_->layer().for_each([this](const socket::Socket& socket) {
    report_->expect(socket.life() == socket::Life::open, "a socket that was closed does not stay",
                    socket.describe());
  });
  expect(core_->ledger().held(base::Reference::event) == 0, "every event was delivered");
  expect(engine_.has_all_buffers(), "every buffer was given back");
}

void World::check_holder(const Holder& holder) {
  const auto require = [&](bool condition, const char* expected) {
    report_->expect(condition, expected, holder.describe());
  };
  const Endpoint& endpoint = kernel_.endpoint(holder.endpoint);
  const socket::Socket* socket = core_->layer().find(holder.name);
  require(socket != nullptr, "a socket that is held is there");
  if (socket == nullptr) return;
  if (holder.listening) {
    require(holder.accept_failed || kernel_.at_descriptor_limit() || core_->has_paused_accepts() ||
                endpoint.backlog.empty(),
            "a listener accepts what is there");
    require(socket->queued_connections() == 0, "every connection was announced");
    return;
  }
  if (holder.connecting) {
    require(!kernel_.can_finish_connect(endpoint), "a connect that has ended is reported");
  }
  require(holder.received == endpoint.received, "what was received is delivered");
  if (!holder.connected || endpoint.disturbed) return;
  if (holder.reading && !holder.receive_over) {
    require(!kernel_.can_read(endpoint), "what has arrived is delivered to who wants it");
  }
  if (holder.send_over) return;
  const std::size_t unsent = const_cast<socket::Socket*>(socket)->outgoing().size();
  // What a send in flight has sent already waits for its completion.
  require(endpoint.sent <= holder.written && endpoint.sent + unsent >= holder.written,
          "each byte has left or waits");
  if (unsent > 0) {
    require(!kernel_.can_write(endpoint), "what can leave has left");
    require(holder.blocked, "a consumer knows that its bytes wait");
    return;
  }
  require(holder.awaited == 0, "a write that has left is answered");
  require(holder.shutdown_asked == holder.shutdown_answered, "a half-close is answered");
  require(holder.shutdown_asked == endpoint.end_sent, "the end leaves when it was asked for");
}

void World::check_nothing_left() {
  base::Ledger& ledger = core_->ledger();
  expect(ledger.attach_attempted == ledger.attached + ledger.attach_failed,
         "an attach succeeds or fails");
  expect(ledger.attached == ledger.detached, "every attach has its detach");
  for (std::size_t tag = 0; tag < base::kReferenceTags; ++tag) {
    expect(ledger.references[tag] == 0, "no reference is left");
  }
  expect(ledger.operations_submitted == ledger.operations_completed,
         "every operation has its final completion");
  expect(ledger.events_queued == ledger.events_delivered, "every event was delivered or dropped");
  expect(ledger.descriptors == 0, "no descriptor is left");
  expect(ledger.pinned_buffers == 0, "no buffer is pinned");
  expect(ledger.bad_commands == 0, "every command was understood");
  expect(core_->layer().live() == 0 && core_->layer().closing_operations() == 0,
         "no socket is left");
  expect(engine_.has_all_buffers(), "no receive buffer is left with anybody");
  for (const auto& holder : consumer_->holders()) {
    report_->expect(holder->closed_events <= 1, "a socket has one last event", holder->describe());
  }
  consumer_.reset();  // and with it the descriptors that were released
  expect(kernel_.open_descriptors() == 0, "the core has closed its descriptors");
  expect(kernel_.paths() == 0, "no path is left");
}

}  // namespace soref::faults
