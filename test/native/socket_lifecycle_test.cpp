// The life of sockets over a protocol that does what the test says: when it attaches, how long it
// lingers, what it reports. No kernel is involved.
#include <cerrno>
#include <string>

#include "check.h"
#include "scripted_protocol.h"

namespace soref::socket {
namespace {

std::span<const std::byte> bytes(const char* text) {
  return std::as_bytes(std::span(text, std::char_traits<char>::length(text)));
}

TEST_CASE("a failed attach leaves nothing, and is never detached") {
  Fixture fixture;
  fixture.scripted->attach_error = -EMFILE;
  Socket* socket = nullptr;
  CHECK_EQ(fixture.layer->create(0, {}, socket), -EMFILE);
  CHECK(socket == nullptr);
  CHECK_EQ(fixture.layer->live(), 0U);
  CHECK_EQ(fixture.ledger.attach_failed, 1U);
  CHECK_EQ(fixture.ledger.attached, 0U);
  fixture.layer->reclaim();
  CHECK_EQ(fixture.scripted->detaches, 0);
}

TEST_CASE("a family that this environment does not have is refused") {
  Fixture fixture;
  Socket* socket = nullptr;
  CHECK_EQ(fixture.layer->create(1, {}, socket), -EAFNOSUPPORT);
  CHECK_EQ(fixture.layer->create(77, {}, socket), -EAFNOSUPPORT);
  CHECK_EQ(fixture.ledger.attach_attempted, 0U);
}

TEST_CASE("attach and detach come once each, with one close between them") {
  Fixture fixture;
  Socket& socket = fixture.create();
  CHECK_EQ(socket.references(), 1U);
  CHECK_EQ(socket.references(base::Reference::consumer), 1U);
  fixture.end(socket);
  CHECK_EQ(fixture.scripted->attaches, 1);
  CHECK_EQ(fixture.scripted->closes, 1);
  CHECK_EQ(fixture.scripted->aborts, 0);
  CHECK_EQ(fixture.scripted->detaches, 1);
  CHECK_EQ(fixture.ledger.live(), 0U);
  CHECK_EQ(fixture.sink.count(Event::closed), 1U);
}

TEST_CASE("an operation in flight keeps a closed socket until its final completion") {
  Fixture fixture;
  Socket& socket = fixture.create();
  CHECK_EQ(socket.connect({}), 0);
  ScriptedBlock& block = *fixture.scripted->last;
  fixture.end(socket);
  CHECK_EQ(fixture.scripted->detaches, 0);
  CHECK_EQ(fixture.layer->closing_operations(), 1U);
  block.operation.reset();
  fixture.layer->reclaim();
  CHECK_EQ(fixture.scripted->detaches, 1);
  CHECK_EQ(fixture.layer->closing_operations(), 0U);
}

TEST_CASE("a protocol that lingers outlives its consumer, and is then detached") {
  Fixture fixture;
  fixture.scripted->lingers = true;
  Socket& socket = fixture.create();
  ScriptedBlock& block = *fixture.scripted->last;
  fixture.end(socket);
  CHECK_EQ(fixture.ledger.held(base::Reference::protocol), 1U);
  CHECK_EQ(fixture.scripted->detaches, 0);
  block.lingering.reset();
  fixture.layer->reclaim();
  CHECK_EQ(fixture.scripted->detaches, 1);
  CHECK_EQ(fixture.ledger.held(base::Reference::protocol), 0U);
}

TEST_CASE("an undelivered event keeps a closed socket until it was delivered") {
  Fixture fixture;
  Socket& socket = fixture.create(protocol::Origin::Kind::external);
  socket.received({0, 5});
  fixture.end(socket);
  CHECK_EQ(fixture.scripted->detaches, 0);
  CHECK(fixture.sink.take().event == Event::data);
  fixture.layer->reclaim();
  CHECK_EQ(fixture.scripted->detaches, 1);
  CHECK(fixture.sink.take().event == Event::closed);
}

TEST_CASE("nothing is reported of a socket that is closing, and its bytes are given back") {
  Fixture fixture;
  Socket& socket = fixture.create(protocol::Origin::Kind::external);
  ScriptedProtocol::start_operation(*fixture.scripted->last);
  ScriptedBlock& block = *fixture.scripted->last;
  fixture.end(socket);
  socket.received({4, 10});
  socket.received_end();
  socket.receive_failed(-ECONNRESET);
  socket.send_failed(-EPIPE);
  CHECK(fixture.sink.events.empty());
  CHECK_EQ(fixture.sink.discarded.size(), 1U);
  block.operation.reset();
  fixture.layer->reclaim();
  CHECK_EQ(fixture.sink.events.size(), 1U);
}

TEST_CASE("a name is never used again, a slot is") {
  Fixture fixture;
  Socket& first = fixture.create();
  const SocketName old = first.name();
  CHECK(fixture.layer->find(old) == &first);
  fixture.end(first);
  CHECK(fixture.layer->find(old) == nullptr);
  // Until the farewell was seen, the old socket is still known by its slot.
  Socket& meanwhile = fixture.create();
  CHECK(meanwhile.name().slot != old.slot);
  CHECK(fixture.sink.take().event == Event::closed);
  fixture.layer->reuse_slot(old);
  Socket& second = fixture.create();
  CHECK_EQ(second.name().slot, old.slot);
  fixture.end(meanwhile);
  CHECK(second.name().generation != old.generation);
  CHECK(fixture.layer->find(old) == nullptr);
  CHECK(fixture.layer->find({99, 1}) == nullptr);
  fixture.end(second);
}

TEST_CASE("a queued connection belongs to its listener until it is accepted") {
  Fixture fixture;
  Socket& listener = fixture.create();
  CHECK_EQ(listener.listen(5), 0);
  listener.incoming(11);
  CHECK_EQ(listener.queued_connections(), 1U);
  CHECK_EQ(fixture.ledger.held(base::Reference::queue), 1U);
  CHECK(fixture.sink.take().event == Event::connection);
  Socket* child = listener.accept();
  REQUIRE(child != nullptr);
  CHECK_EQ(child->references(base::Reference::queue), 0U);
  CHECK_EQ(child->references(base::Reference::consumer), 1U);
  CHECK(child->life() == Life::open);
  CHECK(listener.accept() == nullptr);
  fixture.end(*child);
  ScriptedProtocol::scripted(listener.control_block()).operation.reset();
  fixture.end(listener);
  CHECK_EQ(fixture.ledger.attached, fixture.ledger.detached);
}

TEST_CASE("closing a listener aborts what nobody accepted, and nothing else") {
  Fixture fixture;
  Socket& listener = fixture.create();
  CHECK_EQ(listener.listen(5), 0);
  listener.incoming(11);
  listener.incoming(12);
  listener.incoming(13);
  Socket* accepted = listener.accept();
  REQUIRE(accepted != nullptr);
  fixture.sink.take_all();
  ScriptedProtocol::scripted(listener.control_block()).operation.reset();
  fixture.end(listener);
  CHECK_EQ(fixture.scripted->aborts, 2);
  CHECK_EQ(fixture.scripted->closes, 1);
  CHECK_EQ(fixture.scripted->detaches, 3);
  CHECK_EQ(fixture.layer->live(), 1U);
  fixture.end(*accepted);
  CHECK_EQ(fixture.ledger.attached, 4U);
  CHECK_EQ(fixture.ledger.detached, 4U);
}

TEST_CASE("a protocol is told of a close or of a reset, and not of both") {
  for (const bool reset : {false, true}) {
    Fixture fixture;
    fixture.create().close(reset);
    CHECK_EQ(fixture.scripted->closes, reset ? 0 : 1);
    CHECK_EQ(fixture.scripted->aborts, reset ? 1 : 0);
    fixture.layer->reclaim();
  }
}

TEST_CASE("a connection that cannot be attached, or comes too late, gives its resource back") {
  Fixture fixture;
  Socket& listener = fixture.create();
  CHECK_EQ(listener.listen(5), 0);
  fixture.scripted->attach_error = -ENOMEM;
  listener.incoming(11);
  CHECK_EQ(fixture.scripted->discards, 1);
  CHECK_EQ(listener.queued_connections(), 0U);
  fixture.scripted->attach_error = 0;
  ScriptedBlock& block = ScriptedProtocol::scripted(listener.control_block());
  fixture.end(listener);
  listener.incoming(12);
  CHECK_EQ(fixture.scripted->discards, 2);
  block.operation.reset();
  fixture.layer->reclaim();
}

TEST_CASE("a socket receives from the end of the turn, if it then still is there and wants to") {
  Fixture fixture;
  Socket& closed = fixture.create(protocol::Origin::Kind::external);
  closed.receive(true);
  closed.close(false);
  Socket& stopped = fixture.create(protocol::Origin::Kind::external);
  stopped.receive(true);
  stopped.receive(false);
  fixture.layer->update_receiving();
  CHECK_EQ(fixture.scripted->receives, 1);
  CHECK(!fixture.scripted->receiving);
  stopped.receive(true);
  CHECK_EQ(fixture.scripted->receives, 1);
  fixture.layer->update_receiving();
  CHECK(fixture.scripted->receiving);
  fixture.layer->update_receiving();
  CHECK_EQ(fixture.scripted->receives, 2);
  fixture.end(stopped);
}

TEST_CASE("a half-close waits for the bytes before it") {
  Fixture fixture;
  Socket& socket = fixture.create(protocol::Origin::Kind::external);
  socket.send_copy(bytes("four"), true);
  socket.shutdown();
  fixture.layer->flush();
  CHECK_EQ(fixture.scripted->sends, 1);
  CHECK_EQ(fixture.scripted->shutdowns, 0);
  socket.sent(3);
  CHECK_EQ(fixture.scripted->shutdowns, 0);
  socket.sent(1);
  CHECK_EQ(fixture.scripted->shutdowns, 1);
  CHECK(fixture.sink.take().event == Event::written);
  CHECK(fixture.sink.take().event == Event::shut_down);
  fixture.end(socket);
}

TEST_CASE("an empty write that waits for the connection is answered when it stands") {
  Fixture fixture;
  Socket& socket = fixture.create();
  CHECK_EQ(socket.connect({}), 0);
  socket.send_copy({}, true);
  fixture.layer->flush();
  CHECK(fixture.sink.events.empty());
  socket.connected(0);
  fixture.layer->flush();
  CHECK(fixture.sink.take().event == Event::connected);
  REQUIRE(!fixture.sink.events.empty());
  CHECK(fixture.sink.take().event == Event::written);
  ScriptedProtocol::scripted(socket.control_block()).operation.reset();
  fixture.end(socket);
}

TEST_CASE("every awaited write is answered once, also by a failure") {
  Fixture fixture;
  Socket& socket = fixture.create(protocol::Origin::Kind::external);
  socket.send_copy(bytes("one"), true);
  socket.send_copy(bytes("two"), true);
  socket.shutdown();
  fixture.layer->flush();
  socket.send_failed(-ECONNRESET);
  // What will never leave is held no longer.
  CHECK(socket.outgoing().empty());
  const Recorded written = fixture.sink.take();
  CHECK(written.event == Event::written);
  CHECK_EQ(written.first, -ECONNRESET);
  CHECK_EQ(written.second, 2);
  CHECK(fixture.sink.take().event == Event::shut_down);
  socket.send_copy(bytes("late"), true);
  CHECK_EQ(fixture.sink.take().first, -EPIPE);
  CHECK(fixture.sink.events.empty());
  fixture.end(socket);
}

TEST_CASE("bytes that do not leave in their turn are reported once, and once when they have left") {
  Fixture fixture;
  Socket& socket = fixture.create(protocol::Origin::Kind::external);
  socket.send_copy(bytes("slow"), false);
  fixture.layer->flush();
  fixture.layer->report_blocked();
  CHECK(fixture.sink.take().event == Event::blocked);
  socket.send_copy(bytes("more"), false);
  fixture.layer->flush();
  fixture.layer->report_blocked();
  CHECK(fixture.sink.events.empty());
  socket.sent(8);
  CHECK(fixture.sink.take().event == Event::unblocked);
  fixture.end(socket);
}

TEST_CASE("close_all lets every consumer go, accepted or not") {
  Fixture fixture;
  Socket& listener = fixture.create();
  CHECK_EQ(listener.listen(5), 0);
  listener.incoming(11);
  fixture.create(protocol::Origin::Kind::external);
  ScriptedProtocol::scripted(listener.control_block()).operation.reset();
  fixture.layer->close_all();
  fixture.sink.take_all();
  fixture.layer->reclaim();
  CHECK_EQ(fixture.layer->live(), 0U);
  CHECK_EQ(fixture.ledger.attached, 3U);
  CHECK_EQ(fixture.ledger.detached, 3U);
}

TEST_CASE("only the legal steps of a life and of a connection are legal") {
  CHECK(is_legal(Life::allocated, Life::attached));
  CHECK(is_legal(Life::closing, Life::detached));
  CHECK(!is_legal(Life::allocated, Life::detached));
  CHECK(!is_legal(Life::open, Life::detached));
  CHECK(!is_legal(Life::detached, Life::attached));
  CHECK(!is_legal(Life::closing, Life::open));
  CHECK(is_legal(Connection::idle, Connection::listening));
  CHECK(!is_legal(Connection::connected, Connection::connecting));
  CHECK(!is_legal(Connection::disconnected, Connection::connected));
  CHECK(!is_legal(Connection::listening, Connection::connected));
}

}  // namespace
}  // namespace soref::socket
