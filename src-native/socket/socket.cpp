// The commands and upcalls of a socket, and the two setters of its states.
#include "socket/socket.h"

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/assert.h"
#include "socket/socket_layer.h"

namespace soref::socket {

// --- states

void Socket::set_life(Life next) noexcept {
  SOREF_ASSERT_ABOUT(is_legal(life_, next), "a socket's life takes only legal steps", *this);
  const Life from = std::exchange(life_, next);
  layer_->tell([&](TransitionObserver& observer) { observer.life_changed(*this, from); });
}

void Socket::set_connection(Connection next) noexcept {
  SOREF_ASSERT_ABOUT(is_legal(connection_, next), "a connection takes only legal steps", *this);
  const Connection from = std::exchange(connection_, next);
  layer_->tell([&](TransitionObserver& observer) { observer.connection_changed(*this, from); });
}

// A socket that is closing has nobody left to tell.
void Socket::report(Event event, std::int32_t first, std::int32_t second) noexcept {
  if (life_ == Life::open) layer_->events_->queue(*this, event, first, second);
}

// --- commands

int Socket::bind(const protocol::Name& name, protocol::BindOptions options) noexcept {
  if (connection_ != Connection::idle) return -EINVAL;
  return protocol_->bind(control_block(), name, options);
}

int Socket::listen(int backlog) noexcept {
  if (connection_ != Connection::idle) return -EINVAL;
  const int error = protocol_->listen(control_block(), backlog);
  if (error != 0) return error;
  accept_queue_ = std::make_unique<AcceptQueue>();
  set_connection(Connection::listening);
  return 0;
}

int Socket::connect(const protocol::Name& name) noexcept {
  if (connection_ == Connection::connecting) return -EALREADY;
  if (connection_ != Connection::idle) return -EISCONN;
  set_connection(Connection::connecting);
  const int error = protocol_->connect(control_block(), name);
  if (error != 0) set_connection(Connection::disconnected);
  return error;
}

void Socket::receive(bool wanted) {
  receive_wanted_ = wanted;
  if (receive_changed_) return;
  receive_changed_ = true;
  layer_->to_receive_.push_back(name_);
}

void Socket::update_receiving() noexcept {
  receive_changed_ = false;
  if (cant_receive_) return;
  if (connection_ == Connection::connected) {
    protocol_->receive(control_block(), receive_wanted_);
  } else if (connection_ == Connection::idle && receive_wanted_) {
    // Adopted without a peer, and this turn has connected it to none.
    receive_failed(-ENOTCONN);
  }
}

void Socket::send_copy(std::span<const std::byte> bytes, bool notify) {
  if (cant_send_) {
    if (notify) report(Event::written, -EPIPE, 1);
    return;
  }
  outgoing_.append_copy(bytes);
  if (notify) outgoing_.mark();
  want_flush();
}

void Socket::send_pinned(std::span<const std::byte> bytes, std::unique_ptr<protocol::Pin> pin) {
  if (cant_send_) return;
  write_unfinished_ = true;
  outgoing_.append_pinned(bytes, std::move(pin));
  want_flush();
}

bool Socket::notify_when_drained() {
  write_unfinished_ = false;
  if (cant_send_) {
    // What was sent has not left, and nobody would hear of that who goes on sending in this turn.
    report(Event::written, std::exchange(write_error_, -EPIPE), 1);
    return true;
  }
  if (outgoing_.empty()) return false;
  outgoing_.mark();
  return true;
}

void Socket::shutdown() noexcept {
  if (shutdown_wanted_) return;
  shutdown_wanted_ = true;
  outgoing_.set_end_follows(true);
  if (cant_send_) {
    report(Event::shut_down, -EPIPE);
  } else {
    want_flush();
  }
}

void Socket::want_flush() {
  if (flush_wanted_) return;
  flush_wanted_ = true;
  layer_->to_flush_.push_back(name_);
}

void Socket::flush() noexcept {
  flush_wanted_ = false;
  if (life_ != Life::open || connection_ != Connection::connected) return;
  if (outgoing_.empty()) {
    // Nothing but empty writes or a shutdown: what comes before has left already.
    sent(0);
  } else {
    protocol_->send(control_block());
  }
}

void Socket::report_blocked() noexcept {
  if (!blocked_ && !outgoing_.empty() && connection_ == Connection::connected) {
    blocked_ = true;
    report(Event::blocked);
  }
}

void Socket::shutdown_if_drained() noexcept {
  if (!shutdown_wanted_ || !outgoing_.empty() || cant_send_) return;
  set_cant_send();
  report(Event::shut_down, protocol_->shutdown(control_block()));
}

void Socket::leave(bool reset) noexcept {
  set_life(Life::closing);
  layer_->closing_operations_ += references(base::Reference::operation);
  if (connection_ != Connection::disconnected) set_connection(Connection::disconnected);
  set_cant_send();
  set_cant_receive();
  // A close ends the stream only if nobody else has the connection: nothing may wait for that.
  outgoing_.set_end_follows(false);
  if (reset) {
    protocol_->abort(control_block());
  } else {
    protocol_->close(control_block());
  }
  layer_->tell([&](TransitionObserver& observer) { observer.protocol_left(*this); });
}

void Socket::close(bool reset) noexcept {
  abort_queued();
  leave(reset);
  drop(base::Reference::consumer, base::Cause(reset ? "reset" : "closed"));
}

std::size_t Socket::unsent() const noexcept {
  return outgoing_.size() - protocol_->leaving(control_block());
}

void Socket::quiesce() noexcept { protocol_->quiesce(control_block()); }

int Socket::release() noexcept {
  SOREF_ASSERT_ABOUT(references(base::Reference::operation) == 0,
                     "a resource leaves only without operations in flight", *this);
  return protocol_->release(control_block());
}

// --- the accept queue

Socket* Socket::accept() noexcept {
  Socket* child = accept_queue_ == nullptr ? nullptr : accept_queue_->take();
  if (child == nullptr) return nullptr;
  child->hold(base::Reference::consumer, base::Cause("accepted"));
  child->drop(base::Reference::queue, base::Cause("accepted"));
  child->set_life(Life::open);
  return child;
}

void Socket::abort_queued() noexcept {
  if (accept_queue_ == nullptr) return;
  while (Socket* child = accept_queue_->take()) {
    child->leave(true);
    child->drop(base::Reference::queue, base::Cause("aborted"));
  }
}

std::size_t Socket::queued_connections() const noexcept {
  return accept_queue_ == nullptr ? 0 : accept_queue_->size();
}

// --- upcalls

void Socket::connected(int error) noexcept {
  if (life_ != Life::open) return;
  set_connection(error == 0 ? Connection::connected : Connection::disconnected);
  report(Event::connected, error);
  if (error != 0) return;
  // What was asked for meanwhile waited for the connection.
  if (receive_wanted_) update_receiving();
  if (outgoing_.awaited() > 0 || !outgoing_.empty() || shutdown_wanted_) want_flush();
}

void Socket::incoming(int resource) noexcept {
  if (life_ != Life::open) {
    protocol_->discard(resource);
    return;
  }
  Socket* child = layer_->create_incoming(*protocol_, resource);
  if (child == nullptr) return;
  // The child is complete before anybody can see it on the queue.
  accept_queue_->append(*child);
  child->set_life(Life::queued);
  report(Event::connection);
}

void Socket::incoming_failed(int error) noexcept { report(Event::accept_failed, error); }

void Socket::received(protocol::Chunk chunk) noexcept {
  if (life_ == Life::open) {
    report(Event::data, static_cast<std::int32_t>(chunk.buffer),
           static_cast<std::int32_t>(chunk.length));
  } else {
    layer_->events_->discard(chunk);
  }
}

void Socket::received_end() noexcept {
  set_cant_receive();
  report(Event::end);
}

void Socket::receive_failed(int error) noexcept {
  set_cant_receive();
  report(Event::receive_failed, error);
}

void Socket::sent(std::size_t bytes) noexcept {
  const std::size_t finished = outgoing_.consume(bytes);
  if (finished > 0) report(Event::written, 0, static_cast<std::int32_t>(finished));
  if (!outgoing_.empty()) return;
  if (blocked_) {
    blocked_ = false;
    report(Event::unblocked);
  }
  if (life_ == Life::open) shutdown_if_drained();
}

void Socket::send_failed(int error) noexcept {
  const std::size_t awaited = outgoing_.awaited();
  outgoing_.clear();
  if (life_ != Life::open) return;
  set_cant_send();
  if (awaited > 0) {
    report(Event::written, error, static_cast<std::int32_t>(awaited));
  } else if (write_unfinished_) {
    // The write that it is a part of is about to ask.
    write_error_ = error;
  } else {
    report(Event::send_failed, error);
  }
  if (shutdown_wanted_) report(Event::shut_down, error);
}

// --- description

std::string Socket::describe() const {
  char text[256];
  std::snprintf(text, sizeof text,
                "socket %u.%u %s life=%s connection=%s refs=%u (consumer %u, queue %u, protocol "
                "%u, operation %u, event %u)",
                name_.slot, name_.generation, protocol_->name(), to_string(life_),
                to_string(connection_), total_, by_tag_[0], by_tag_[1], by_tag_[2], by_tag_[3],
                by_tag_[4]);
  return text + socket::describe(log_);
}

// --- the turn

void SocketLayer::flush() noexcept {
  // Flushing may finish a shutdown but never sends more, so the list does not grow meanwhile.
  for (const SocketName name : to_flush_) {
    if (Socket* socket = find(name)) socket->flush();
    flushed_.push_back(name);
  }
  to_flush_.clear();
}

void SocketLayer::update_receiving() noexcept {
  for (const SocketName name : to_receive_) {
    if (Socket* socket = find(name)) socket->update_receiving();
  }
  to_receive_.clear();
}

void SocketLayer::report_blocked() noexcept {
  for (const SocketName name : flushed_) {
    if (Socket* socket = find(name)) socket->report_blocked();
  }
  flushed_.clear();
}

}  // namespace soref::socket
