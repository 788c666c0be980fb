// Each invariant of a socket's life, broken on purpose by whoever could break it: a consumer, a
// protocol, a queue, a wrong count. The process stops with a report that names the socket.
#include <memory>
#include <string>

#include "broken_invariant.h"
#include "scripted_protocol.h"

namespace soref::socket {
namespace {

using base::Cause;
using base::Reference;

constexpr const char* kSocket = "socket 0.1 scripted life=";

// The report when `breaks` has done its work on an open socket that has an event waiting.
std::string after(void (*breaks)(Fixture&, Socket&)) {
  return report_of([&] {
    Fixture fixture;
    Socket& socket = fixture.create(protocol::Origin::Kind::external);
    socket.received({0, 5});
    breaks(fixture, socket);
  });
}

TEST_CASE("a sound life is not reported") {
  CHECK_EQ(after([](Fixture& fixture, Socket& socket) {
             fixture.sink.take_all();
             fixture.end(socket);
             std::fputs("nothing but this", stderr);
             fixture.layer.reset();
           }),
           "");
}

TEST_CASE("attached == detached + live") {
  check_report(
      after([](Fixture& fixture, Socket& socket) {
        --fixture.ledger.attached;
        fixture.sink.take_all();
        fixture.end(socket);
      }),
      "every attached socket is live or was detached",
      "ledger: attach attempted 1, attached 0, failed 0, detached 1; references: consumer 0");
  check_report(
      after([](Fixture& fixture, Socket&) { fixture.layer.reset(); }),
      "no socket outlives its environment",
      "ledger: attach attempted 1, attached 1, failed 0, detached 0; references: consumer 1");
  check_report(report_of([] {
                 Fixture fixture;
                 ++fixture.ledger.attached;
                 fixture.layer.reset();
               }),
               "every attach has its detach at exit", "ledger: attach attempted 0, attached 1");
}

TEST_CASE("the ledger and the sockets say the same") {
  check_report(after([](Fixture& fixture, Socket&) {
                 ++fixture.ledger.held(Reference::protocol);
                 fixture.layer->check_counts();
               }),
               "the ledger's references are those of the live sockets", "ledger: ");
  check_report(report_of([] {
                 Fixture fixture;
                 Socket& listener = fixture.create();
                 CHECK_EQ(listener.listen(5), 0);
                 listener.incoming(11);
                 fixture.layer->find({1, 1})->hold(Reference::queue, Cause("doubled"));
                 fixture.layer->check_counts();
               }),
               "every reference of a queue is an entry of one", "ledger: ");
}

// A protocol whose attach says one thing and does another.
struct LyingProtocol final : ScriptedProtocol {
  int result = 0;
  bool gives_block = false;
  int attach(protocol::Upcalls& socket, protocol::Origin,
             protocol::ControlBlock*& block) noexcept override {
    if (gives_block) block = new ScriptedBlock(socket);
    return result;
  }
};

std::string attach_report(int result, bool gives_block) {
  return report_of([=] {
    Fixture fixture;
    auto protocol = std::make_unique<LyingProtocol>();
    protocol->result = result;
    protocol->gives_block = gives_block;
    fixture.protocols.add(protocol::Family::tcp6, std::move(protocol));
    Socket* socket = nullptr;
    static_cast<void>(fixture.layer->create(1, {}, socket));
  });
}

TEST_CASE("attach succeeds with a control block, or fails without") {
  check_report(attach_report(-EMFILE, true), "a failed attach attaches nothing",
               "socket 0.1 scripted life=allocated");
  check_report(attach_report(5, false), "a failed attach attaches nothing",
               "socket 0.1 scripted life=allocated");
  check_report(attach_report(0, false), "a successful attach gives a control block",
               "socket 0.1 scripted life=allocated");
  CHECK_EQ(attach_report(-EMFILE, false), "");
}

TEST_CASE("a control block is there from attach to detach") {
  check_report(report_of([] {
                 Fixture fixture;
                 const Socket loose(*fixture.layer, *fixture.scripted, {7, 3});
                 static_cast<void>(loose.control_block());
               }),
               "a control block is there from attach to detach",
               "socket 7.3 scripted life=allocated connection=idle refs=0");
}

TEST_CASE("only who holds a reference drops it, and no tag stands in for another") {
  for (const Reference tag : {Reference::queue, Reference::protocol, Reference::operation}) {
    const std::string report = report_of([&] {
      Fixture fixture;
      fixture.create().drop(tag, Cause("doubled"));
    });
    check_report(report, "a reference is dropped only by who holds it", kSocket);
    CHECK(report.find("refs=1 (consumer 1, queue 0, protocol 0, operation 0, event 0)\n"
                      "    + consumer (created): 1 of 1\n") != std::string::npos);
  }
}

TEST_CASE("the last reference goes after close or abort, and the count never rises again") {
  check_report(after([](Fixture& fixture, Socket& socket) {
                 fixture.sink.take_all();
                 socket.drop(Reference::consumer, Cause("doubled"));
               }),
               "the last reference goes only after close or abort",
               std::string(kSocket) + "open connection=connected refs=0");
  check_report(after([](Fixture& fixture, Socket& socket) {
                 fixture.sink.take_all();
                 socket.close(false);
                 socket.hold(Reference::event, Cause("late"));
               }),
               "a count that has reached zero never rises again",
               std::string(kSocket) + "closing connection=disconnected refs=0");
}

TEST_CASE("a socket that somebody refers to is not freed") {
  check_report(report_of([] {
                 Fixture fixture;
                 Socket loose(*fixture.layer, *fixture.scripted, {0, 1});
                 loose.hold(Reference::consumer, Cause("created"));
               }),
               "a socket is freed only without references",
               "socket 0.1 scripted life=allocated connection=idle refs=1 (consumer 1");
}

TEST_CASE("one close or abort, and no second") {
  for (const bool reset : {false, true}) {
    check_report(report_of([&] {
                   Fixture fixture;
                   Socket& socket = fixture.create(protocol::Origin::Kind::external);
                   socket.received({0, 5});
                   socket.close(reset);
                   socket.close(!reset);
                 }),
                 "a socket's life takes only legal steps", std::string(kSocket) + "closing");
  }
}

TEST_CASE("a connection takes only legal steps") {
  check_report(after([](Fixture&, Socket& socket) { socket.connected(0); }),
               "a connection takes only legal steps",
               std::string(kSocket) + "open connection=connected");
}

TEST_CASE("a connection is on one accept queue, which holds it, and which its listener outlives") {
  check_report(report_of([] {
                 Fixture fixture;
                 Socket& listener = fixture.create();
                 CHECK_EQ(listener.listen(5), 0);
                 listener.incoming(11);
                 Socket* child = fixture.layer->find({1, 1});
                 AcceptQueue another;
                 another.append(*child);
               }),
               "a connection is on one accept queue", "socket 1.1 scripted life=queued");
  check_report(report_of([] {
                 Fixture fixture;
                 Socket& listener = fixture.create();
                 CHECK_EQ(listener.listen(5), 0);
                 listener.incoming(11);
                 Socket* child = fixture.layer->find({1, 1});
                 child->hold(Reference::consumer, Cause("accepted"));
                 child->drop(Reference::queue, Cause("accepted"));
                 static_cast<void>(listener.accept());
               }),
               "an accept queue holds its connections", "socket 1.1 scripted life=queued");
}

TEST_CASE("a resource leaves only without operations in flight") {
  check_report(report_of([] {
                 Fixture fixture;
                 Socket& socket = fixture.create();
                 CHECK_EQ(socket.connect({}), 0);
                 static_cast<void>(socket.release());
               }),
               "a resource leaves only without operations in flight",
               std::string(kSocket) + "open connection=connecting refs=2");
}

TEST_CASE("a slot is given back only after its socket was freed") {
  check_report(
      after([](Fixture& fixture, Socket& socket) { fixture.layer->reuse_slot(socket.name()); }),
      "a slot is given back once, after its socket was freed", kSocket);
}

}  // namespace
}  // namespace soref::socket
