// What the layer tells of its sockets' transitions, and what a socket's log keeps of them.
#include <string>
#include <vector>

#include "scripted_protocol.h"

namespace soref::socket {
namespace {

// Writes one word for each transition.
class Witness final : public TransitionObserver {
 public:
  std::vector<std::string> seen;

  void socket_allocated(const Socket& socket) override { add(socket, "allocated"); }
  void reference_changed(const Socket& socket, const ReferenceChange& change) override {
    add(socket, std::string(change.taken ? "+" : "-") + to_string(change.tag) + "/" + change.cause +
                    " " + std::to_string(change.held) + " of " + std::to_string(change.total));
    CHECK_EQ(change.total, socket.references());
    CHECK_EQ(change.held, socket.references(change.tag));
  }
  void life_changed(const Socket& socket, Life from) override {
    add(socket, std::string(to_string(from)) + ">" + to_string(socket.life()));
  }
  void connection_changed(const Socket& socket, Connection from) override {
    add(socket, std::string(to_string(from)) + ">" + to_string(socket.connection()));
  }
  void protocol_left(const Socket& socket) override { add(socket, "left"); }
  void socket_detached(const Socket& socket) override { add(socket, "detached"); }
  void socket_freed(const Socket& socket) override { add(socket, "freed"); }
  void slot_given_back(SocketName name) override {
    seen.push_back(std::to_string(name.slot) + " given back");
  }

 private:
  void add(const Socket& socket, const std::string& what) {
    seen.push_back(std::to_string(socket.name().slot) + " " + what);
  }
};

using Words = std::vector<std::string>;

void check_words(const Words& seen, const Words& expected) {
  CHECK_EQ(seen.size(), expected.size());
  for (std::size_t at = 0; at < seen.size() && at < expected.size(); ++at) {
    CHECK_EQ(seen[at], expected[at]);
  }
}

TEST_CASE("every transition of a listener and its connections is told, in order") {
  Fixture fixture;
  Witness witness;
  fixture.layer->observe(&witness);
  Socket& listener = fixture.create();
  CHECK_EQ(listener.listen(5), 0);
  listener.incoming(11);
  fixture.sink.take();
  Socket* accepted = listener.accept();
  REQUIRE(accepted != nullptr);
  listener.incoming(12);
  fixture.sink.take();
  ScriptedProtocol::scripted(listener.control_block()).operation.reset();
  fixture.end(listener);
  accepted->close(true);
  fixture.layer->observe(nullptr);
  fixture.layer->reclaim();
  check_words(witness.seen, {
                                "0 allocated",
                                "0 allocated>attached",
                                "0 +consumer/created 1 of 1",
                                "0 attached>open",
                                "0 +operation/scripted 1 of 2",
                                "0 idle>listening",
                                "1 allocated",
                                "1 allocated>attached",
                                "1 idle>connected",
                                "1 +queue/queued 1 of 1",
                                "1 attached>queued",
                                "0 +event/connection 1 of 3",
                                "0 -event/connection 0 of 2",
                                "1 +consumer/accepted 1 of 2",
                                "1 -queue/accepted 0 of 1",
                                "1 queued>open",
                                "2 allocated",
                                "2 allocated>attached",
                                "2 idle>connected",
                                "2 +queue/queued 1 of 1",
                                "2 attached>queued",
                                "0 +event/connection 1 of 3",
                                "0 -event/connection 0 of 2",
                                "0 -operation/scripted 0 of 1",
                                "2 queued>closing",
                                "2 connected>disconnected",
                                "2 left",
                                "2 -queue/aborted 0 of 0",
                                "0 open>closing",
                                "0 listening>disconnected",
                                "0 left",
                                "0 -consumer/closed 0 of 0",
                                "0 closing>detached",
                                "0 detached",
                                "0 freed",
                                "2 closing>detached",
                                "2 detached",
                                "2 freed",
                                "1 open>closing",
                                "1 connected>disconnected",
                                "1 left",
                                "1 -consumer/reset 0 of 0",
                            });
}

TEST_CASE("a failed attach is seen to leave nothing") {
  Fixture fixture;
  Witness witness;
  fixture.layer->observe(&witness);
  fixture.scripted->attach_error = -EMFILE;
  Socket* socket = nullptr;
  CHECK_EQ(fixture.layer->create(0, {}, socket), -EMFILE);
  check_words(witness.seen, {"0 allocated", "0 freed", "0 given back"});
}

TEST_CASE("a socket remembers its last 16 reference changes, and describes them") {
  Fixture fixture;
  Socket& socket = fixture.create(protocol::Origin::Kind::external);
  for (std::uint32_t length = 1; length <= 10; ++length) {
    socket.received({0, length});
    fixture.sink.take();
  }
  CHECK_EQ(socket.log().made(), 21U);
  Words kept;
  socket.log().for_each([&](const ReferenceChange& change) {
    kept.push_back(std::string(change.taken ? "+" : "-") + change.cause);
  });
  CHECK_EQ(kept.size(), 16U);
  for (std::size_t at = 0; at < kept.size(); ++at)
    CHECK_EQ(kept[at], at % 2 == 0 ? "+data" : "-data");
  const std::string text = socket.describe();
  CHECK(text.find("socket 0.1 scripted life=open connection=connected refs=1") == 0);
  CHECK(text.find("\n    + event (data): 1 of 2\n    - event (data): 0 of 1") != std::string::npos);
  fixture.end(socket);
}

}  // namespace
}  // namespace soref::socket
