// Allocation, attach, the count, detach and release: the one call site of a protocol's attach and
// the one of its detach are here.
#include <array>
#include <cerrno>

#include "base/assert.h"
#include "base/clock.h"
#include "socket/socket_layer.h"

namespace soref::socket {

SocketLayer::SocketLayer(protocol::Switch& protocols, EventSink& events,
                         base::Ledger& ledger) noexcept
    : protocols_(&protocols), events_(&events), ledger_(&ledger) {}

SocketLayer::~SocketLayer() {
  SOREF_ASSERT_ABOUT(live_ == 0, "no socket outlives its environment", *ledger_);
  SOREF_ASSERT_ABOUT(ledger_->attached == ledger_->detached, "every attach has its detach at exit",
                     *ledger_);
}

Socket::Socket(SocketLayer& layer, protocol::Protocol& protocol, SocketName name) noexcept
    : layer_(&layer),
      protocol_(&protocol),
      created_at_(base::monotonic_milliseconds()),
      name_(name) {}

Socket::~Socket() {
  SOREF_ASSERT_ABOUT(total_ == 0, "a socket is freed only without references", *this);
  SOREF_ASSERT_ABOUT(block_ == nullptr, "a socket is freed only after its detach", *this);
  SOREF_ASSERT_ABOUT(life_ == Life::allocated || life_ == Life::detached,
                     "a socket is freed only if it was never attached, or was detached", *this);
}

// --- the count

void Socket::hold(base::Reference tag, base::Cause cause) noexcept {
  SOREF_ASSERT_ABOUT(total_ > 0 || life_ == Life::allocated || life_ == Life::attached,
                     "a count that has reached zero never rises again", *this);
  ++by_tag_[static_cast<std::size_t>(tag)];
  ++total_;
  ++layer_->ledger_->held(tag);
  count_changed(tag, true, cause);
}

void Socket::drop(base::Reference tag, base::Cause cause) noexcept {
  std::uint32_t& tagged = by_tag_[static_cast<std::size_t>(tag)];
  SOREF_ASSERT_ABOUT(tagged > 0, "a reference is dropped only by who holds it", *this);
  --tagged;
  --total_;
  --layer_->ledger_->held(tag);
  count_changed(tag, false, cause);
  if (total_ == 0) layer_->unreferenced(*this);
}

void Socket::count_changed(base::Reference tag, bool taken, base::Cause cause) noexcept {
  SOREF_ASSERT_ABOUT(total_ == by_tag_[0] + by_tag_[1] + by_tag_[2] + by_tag_[3] + by_tag_[4],
                     "the count is the sum of its tags", *this);
  if (tag == base::Reference::operation && life_ == Life::closing) {
    taken ? ++layer_->closing_operations_ : --layer_->closing_operations_;
  }
  const ReferenceChange change{tag, taken, cause.text(), references(tag), total_};
  log_.record(change);
  layer_->tell([&](TransitionObserver& observer) { observer.reference_changed(*this, change); });
}

void SocketLayer::unreferenced(Socket& socket) noexcept {
  SOREF_ASSERT_ABOUT(socket.life_ == Life::closing,
                     "the last reference goes only after close or abort", socket);
  socket.next_unreferenced_ = unreferenced_;
  unreferenced_ = &socket;
}

void SocketLayer::reclaim() noexcept {
  while (unreferenced_ != nullptr) {
    Socket* socket = unreferenced_;
    unreferenced_ = socket->next_unreferenced_;
    const SocketName name = socket->name_;
    detach(*socket);
    destroy(socket);
    events_->queue_closed(name);
  }
}

// --- attach and detach

int SocketLayer::attach(Socket& socket, protocol::Origin origin) noexcept {
  SOREF_ASSERT_ABOUT(socket.block_ == nullptr, "attach comes once", socket);
  ++ledger_->attach_attempted;
  protocol::ControlBlock* block = nullptr;
  const int error = socket.protocol_->attach(socket, origin, block);
  if (error != 0) {
    SOREF_ASSERT_ABOUT(error < 0 && block == nullptr, "a failed attach attaches nothing", socket);
    ++ledger_->attach_failed;
    return error;
  }
  SOREF_ASSERT_ABOUT(block != nullptr, "a successful attach gives a control block", socket);
  socket.block_ = block;
  ++ledger_->attached;
  socket.set_life(Life::attached);
  return 0;
}

void SocketLayer::detach(Socket& socket) noexcept {
  SOREF_ASSERT_ABOUT(socket.total_ == 0, "detach comes when the count is zero", socket);
  SOREF_ASSERT_ABOUT(socket.block_ != nullptr, "detach comes once, after a successful attach",
                     socket);
  SOREF_ASSERT_ABOUT(socket.queued_connections() == 0, "a listener outlives its accept queue",
                     socket);
  socket.set_life(Life::detached);
  socket.protocol_->detach(*socket.block_);
  socket.block_ = nullptr;
  ++ledger_->detached;
  tell([&](TransitionObserver& observer) { observer.socket_detached(socket); });
}

protocol::ControlBlock& Socket::control_block() const noexcept {
  SOREF_ASSERT_ABOUT(block_ != nullptr, "a control block is there from attach to detach", *this);
  return *block_;
}

// --- allocation and names

Socket* SocketLayer::allocate(protocol::Protocol& protocol) {
  std::uint32_t slot;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(table_.size());
    table_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  Entry& entry = table_[slot];
  SOREF_ASSERT_ABOUT(entry.socket == nullptr && !entry.parked, "a slot names one socket at a time",
                     subject_of(entry));
  entry.socket = new Socket(*this, protocol, {slot, entry.generation});
  ++live_;
  tell([&](TransitionObserver& observer) { observer.socket_allocated(*entry.socket); });
  return entry.socket;
}

void SocketLayer::destroy(Socket* socket) noexcept {
  Entry& entry = table_[socket->name_.slot];
  SOREF_ASSERT_ABOUT(entry.socket == socket && entry.generation == socket->name_.generation,
                     "a name belongs to one socket", *socket);
  entry.socket = nullptr;
  entry.parked = true;
  // Names travel as signed 32-bit numbers; zero names nothing.
  entry.generation = entry.generation == 0x7fffffff ? 1 : entry.generation + 1;
  --live_;
  tell([&](TransitionObserver& observer) { observer.socket_freed(*socket); });
  delete socket;
  SOREF_ASSERT_ABOUT(ledger_->attached == ledger_->detached + live_,
                     "every attached socket is live or was detached", *ledger_);
}

void SocketLayer::reuse_slot(SocketName name) {
  Entry& entry = table_[name.slot];
  SOREF_ASSERT_ABOUT(entry.parked && entry.generation != name.generation,
                     "a slot is given back once, after its socket was freed", subject_of(entry));
  entry.parked = false;
  free_slots_.push_back(name.slot);
  tell([&](TransitionObserver& observer) { observer.slot_given_back(name); });
}

Socket* SocketLayer::find(SocketName name) const noexcept {
  if (name.slot >= table_.size()) return nullptr;
  const Entry& entry = table_[name.slot];
  return entry.generation == name.generation ? entry.socket : nullptr;
}

int SocketLayer::create(std::uint32_t family, protocol::Origin origin, Socket*& socket) {
  protocol::Protocol* protocol = protocols_->find(family);
  if (protocol == nullptr) return -EAFNOSUPPORT;
  Socket* created = allocate(*protocol);
  const int error = attach(*created, origin);
  if (error != 0) {
    const SocketName name = created->name_;
    destroy(created);
    reuse_slot(name);
    return error;
  }
  created->hold(base::Reference::consumer, base::Cause("created"));
  created->set_life(Life::open);
  if (origin.kind == protocol::Origin::Kind::external) {
    if (protocol->has_had_peer(*created->block_)) created->set_connection(Connection::connected);
  }
  socket = created;
  return 0;
}

Socket* SocketLayer::create_incoming(protocol::Protocol& protocol, int resource) noexcept {
  Socket* child = allocate(protocol);
  if (attach(*child, {protocol::Origin::Kind::incoming, resource}) != 0) {
    protocol.discard(resource);
    const SocketName name = child->name_;
    destroy(child);
    reuse_slot(name);
    return nullptr;
  }
  child->set_connection(Connection::connected);
  return child;
}

void SocketLayer::check_counts() const noexcept {
  if constexpr (base::kExpensiveChecks) {
    std::array<std::uint64_t, base::kReferenceTags> held{};
    std::size_t queued = 0;
    std::size_t live = 0;
    std::size_t closing_operations = 0;
    for_each([&](const Socket& socket) {
      for (std::size_t tag = 0; tag < held.size(); ++tag) held[tag] += socket.by_tag_[tag];
      queued += socket.queued_connections();
      ++live;
      if (socket.life_ == Life::closing) {
        closing_operations += socket.references(base::Reference::operation);
      }
    });
    SOREF_ASSERT_ABOUT(held == ledger_->references,
                       "the ledger's references are those of the live sockets", *ledger_);
    SOREF_ASSERT_ABOUT(queued == ledger_->held(base::Reference::queue),
                       "every reference of a queue is an entry of one", *ledger_);
    SOREF_ASSERT_ABOUT(live == live_ && closing_operations == closing_operations_,
                       "live sockets and what ends with them are counted as they are", *ledger_);
  }
}

void SocketLayer::close_all() noexcept {
  check_counts();
  for_each([](Socket& socket) {
    if (socket.life() == Life::open) socket.close(false);
  });
}

}  // namespace soref::socket
