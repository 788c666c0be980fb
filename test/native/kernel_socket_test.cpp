// Kernel sockets through the whole core below binding/: real connections on loopback and on Unix
// paths, and what is left of them afterwards.
#include "kernel_fixture.h"

namespace soref {
namespace {

TEST_CASE("bytes and both half-closes cross a TCP connection, over IPv4, IPv6 and a path") {
  const std::pair<Family, std::string> places[] = {
      {Family::tcp4, "127.0.0.1"}, {Family::tcp6, "::1"}, {Family::local, temporary_path()}};
  for (const auto& place : places) {
    on_each_engine([&](Core& core) {
      const Core::Pair pair = core.connected(place.first, place.second);
      Socket* const client = pair.client;
      Socket* const server = pair.server;
      server->receive(true);
      client->receive(true);
      client->send_copy(bytes("request"), true);
      client->shutdown();
      CHECK(core.run([&] { return core.count(Event::end) == 1; }));
      CHECK_EQ(core.received, std::string("request"));
      server->send_copy(bytes(" response"), false);
      server->shutdown();
      CHECK(core.run([&] { return core.count(Event::end) == 2; }));
      CHECK_EQ(core.received, std::string("request response"));
      CHECK_EQ(core.count(Event::written), 1U);
      CHECK_EQ(core.count(Event::shut_down), 2U);
    });
  }
}

TEST_CASE("a refused connection is reported once and leaves nothing") {
  on_each_engine([](Core& core) {
    Socket& listening = core.listener(Family::tcp4, "127.0.0.1");
    const protocol::Name name = Core::local(listening);
    listening.close(false);
    CHECK(core.run([&] { return core.layer.live() == 0; }));
    Socket& client = core.create(Family::tcp4);
    CHECK_EQ(client.connect(name), 0);
    CHECK(core.run([&] { return core.count(Event::connected) == 1; }));
    CHECK_EQ(core.first_of(Event::connected), -ECONNREFUSED);
  });
}

TEST_CASE(
    "a socket that wants to read and has no peer fails at the turn's end, unless it connects") {
  on_each_engine([](Core& core) {
    Socket& first = core.listener(Family::tcp4, "127.0.0.1");
    Socket& reader = core.create(Family::tcp4);
    reader.receive(true);
    CHECK_EQ(reader.connect(Core::local(first)), 0);
    CHECK(core.run([&] { return core.count(Event::connected) == 1; }));
    CHECK_EQ(core.count(Event::receive_failed), 0);
    Socket& lonely = core.create(Family::tcp4);
    lonely.receive(true);
    CHECK(core.run([&] { return core.count(Event::receive_failed) == 1; }));
    CHECK_EQ(core.first_of(Event::receive_failed), -ENOTCONN);
  });
}

TEST_CASE("an address in use is the listen's error") {
  on_each_engine([](Core& core) {
    Socket& first = core.listener(Family::tcp4, "127.0.0.1");
    Socket& second = core.create(Family::tcp4);
    CHECK_EQ(second.bind(Core::local(first), {}), 0);
    protocol::Name name;
    CHECK_EQ(second.protocol().local_name(second.control_block(), name), -EADDRINUSE);
    CHECK_EQ(second.listen(1), -EADDRINUSE);
  });
}

TEST_CASE("a socket closed with everything in flight sends what it can and is freed") {
  on_each_engine([](Core& core) {
    const Core::Pair pair = core.connected(Family::tcp4, "127.0.0.1");
    Socket* const client = pair.client;
    Socket* const server = pair.server;
    client->receive(true);
    server->receive(true);
    core.turn();
    server->send_copy(bytes("last words"), false);
    server->close(false);
    CHECK(core.run([&] { return core.count(Event::end) == 1; }));
    CHECK_EQ(core.received, std::string("last words"));
    CHECK(core.run([&] { return core.count(Event::closed) == 1; }));
  });
}

TEST_CASE("a reset reaches the peer as one") {
  on_each_engine([](Core& core) {
    const Core::Pair pair = core.connected(Family::tcp4, "127.0.0.1");
    Socket* const client = pair.client;
    Socket* const server = pair.server;
    client->receive(true);
    core.turn();
    server->close(true);
    CHECK(core.run([&] { return core.count(Event::receive_failed) == 1; }));
    CHECK_EQ(core.first_of(Event::receive_failed), -ECONNRESET);
  });
}

TEST_CASE("a reset in the middle of a large send is no good end for who reads") {
  on_each_engine([](Core& core) {
    const Core::Pair pair = core.connected(Family::tcp4, "127.0.0.1");
    Socket* const client = pair.client;
    Socket* const server = pair.server;
    const std::string large(std::size_t{32} * 1024 * 1024, 'x');
    server->send_pinned(bytes(large), std::make_unique<protocol::Pin>());
    CHECK(server->notify_when_drained());
    server->receive(true);
    client->receive(true);
    CHECK(core.run([&] { return core.received.size() > large.size() / 4; }));
    client->receive(false);
    for (int turns = 0; turns < 20; ++turns) core.turn();
    client->close(true);
    CHECK(core.run([&] {
      return core.count(Event::receive_failed) + core.count(Event::end) > 0 &&
             core.count(Event::written) == 1;
    }));
    CHECK_EQ(core.count(Event::end), 0U);
    CHECK_EQ(core.first_of(Event::receive_failed), -ECONNRESET);
  });
}

TEST_CASE("withdrawn credit stops the bytes, and its return loses none") {
  on_each_engine([](Core& core) {
    const Core::Pair pair = core.connected(Family::tcp4, "127.0.0.1");
    Socket* const client = pair.client;
    Socket* const server = pair.server;
    server->receive(true);
    core.turn();
    server->receive(false);
    core.turn();
    CHECK(core.run([&] { return server->references(base::Reference::operation) == 0; }));
    client->send_copy(bytes("waiting"), false);
    for (int turns = 0; turns < 20; ++turns) core.turn();
    CHECK(core.received.empty());
    server->receive(true);
    CHECK(core.run([&] { return core.received == "waiting"; }));
  });
}

TEST_CASE("credit that comes back before its withdrawal is through counts") {
  on_each_engine([](Core& core) {
    const Core::Pair pair = core.connected(Family::tcp4, "127.0.0.1");
    pair.server->receive(true);
    core.turn();
    for (const bool wanted : {false, true}) {
      pair.server->receive(wanted);
      core.layer.update_receiving();
    }
    pair.client->send_copy(bytes("wanted"), false);
    CHECK(core.run([&] { return core.received == "wanted"; }));
  });
}

TEST_CASE("more bytes than the kernel takes leave in order, and the end is told once") {
  on_each_engine([](Core& core) {
    const Core::Pair pair = core.connected(Family::tcp4, "127.0.0.1");
    Socket* const client = pair.client;
    Socket* const server = pair.server;
    std::string large(std::size_t{8} * 1024 * 1024, ' ');
    for (std::size_t at = 0; at < large.size(); ++at) large[at] = static_cast<char>('a' + at % 23);
    client->send_pinned(bytes(large), std::make_unique<protocol::Pin>());
    client->shutdown();
    core.turn();
    core.turn();
    CHECK(client->notify_when_drained());
    CHECK_EQ(core.count(Event::blocked), 1U);
    server->receive(true);
    CHECK(core.run([&] { return core.count(Event::end) == 1; }));
    CHECK(core.received == large);
    CHECK_EQ(core.count(Event::written), 1U);
    CHECK_EQ(core.count(Event::unblocked), 1U);
  });
}

TEST_CASE("a released descriptor lives on and is nobody's twice") {
  on_each_engine([](Core& core) {
    const Core::Pair pair = core.connected(Family::tcp4, "127.0.0.1");
    Socket* const client = pair.client;
    Socket* const server = pair.server;
    server->receive(true);
    core.turn();
    server->quiesce();
    CHECK(core.run([&] { return server->references(base::Reference::operation) == 0; }));
    const int descriptor = server->release();
    CHECK(descriptor >= 0);
    server->close(false);
    CHECK(core.run([&] { return core.count(Event::closed) == 1; }));
    CHECK_EQ(::send(descriptor, "alive", 5, MSG_NOSIGNAL), 5);
    client->receive(true);
    CHECK(core.run([&] { return core.received == "alive"; }));
    CHECK_EQ(::close(descriptor), 0);
  });
}

TEST_CASE("an outside descriptor is adopted if it is a stream socket, and stays outside if not") {
  on_each_engine([](Core& core) {
    int ends[2];
    CHECK_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    Socket* socket = nullptr;
    CHECK_EQ(core.protocols.family_of(ends[0]), static_cast<int>(Family::local));
    CHECK_EQ(core.layer.create(static_cast<std::uint32_t>(Family::local),
                               {protocol::Origin::Kind::external, ends[0]}, socket),
             0);
    socket->receive(true);
    CHECK_EQ(::send(ends[1], "in", 2, 0), 2);
    CHECK(core.run([&] { return core.received == "in"; }));
    ::close(ends[1]);

    const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_EQ(core.protocols.family_of(file), -ENOTSOCK);
    Socket* none = nullptr;
    CHECK_EQ(core.layer.create(0, {protocol::Origin::Kind::external, file}, none), -ENOTSOCK);
    CHECK(none == nullptr);
    CHECK_EQ(::close(file), 0);
    CHECK_EQ(core.protocols.family_of(file), -EBADF);
    const int datagrams = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(core.protocols.family_of(datagrams), -EINVAL);
    ::close(datagrams);
  });
}

TEST_CASE("a descriptor that a socket owns is adopted by no second one") {
  on_each_engine([](Core& core) {
    Socket* const owner = core.connected(Family::tcp4, "127.0.0.1").server;
    REQUIRE(owner != nullptr);
    const int owned = owner->protocol().resource(owner->control_block());
    Socket* second = nullptr;
    CHECK_EQ(core.layer.create(static_cast<std::uint32_t>(Family::tcp4),
                               {protocol::Origin::Kind::external, owned}, second),
             -EEXIST);
    CHECK(second == nullptr);
  });
}

TEST_CASE("a number that was closed behind its socket's back is left to who has it now") {
  on_each_engine([](Core& core) {
    Socket* const loser = core.connected(Family::tcp4, "127.0.0.1").server;
    loser->receive(true);
    core.turn();
    const int number = loser->protocol().resource(loser->control_block());
    CHECK_EQ(::close(number), 0);
    // The kernel gives the lowest number that is free.
    Socket& owner = core.create(Family::tcp4);
    REQUIRE(owner.protocol().resource(owner.control_block()) == number);
    CHECK(core.run([&] { return core.count(Event::receive_failed) == 1; }));
    CHECK_EQ(core.first_of(Event::receive_failed), -EBADF);
    loser->close(false);
    CHECK(core.run([&] { return core.count(Event::closed) == 1; }));
    CHECK(::fcntl(number, F_GETFD) >= 0);
    // Its number is its own, for whoever would adopt it too.
    Socket* second = nullptr;
    CHECK_EQ(core.layer.create(static_cast<std::uint32_t>(Family::tcp4),
                               {protocol::Origin::Kind::external, number}, second),
             -EEXIST);
  });
}

// A socket that receives, and whose descriptor somebody has a duplicate of.
struct Duplicated {
  Socket* socket = nullptr;
  int number = -1;
  int duplicate = -1;
  int peer = -1;
};

Duplicated receive_with_duplicate(Core& core) {
  int ends[2];
  CHECK_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  Duplicated made{.number = ends[0], .duplicate = ::dup(ends[0]), .peer = ends[1]};
  CHECK_EQ(core.layer.create(static_cast<std::uint32_t>(Family::local),
                             {protocol::Origin::Kind::external, ends[0]}, made.socket),
           0);
  made.socket->receive(true);
  core.turn();
  return made;
}

// The socket has gone: what the engine heard of its descriptor now would name a channel of nobody.
void hear_no_more(Core& core, const Duplicated& gone) {
  CHECK_EQ(::send(gone.peer, "late", 4, MSG_NOSIGNAL), 4);
  for (int turns = 0; turns < 5; ++turns) core.turn();
  CHECK(core.received.empty());
  ::close(gone.duplicate);
  ::close(gone.peer);
}

TEST_CASE("an engine forgets a descriptor that leaves, though somebody keeps it open") {
  on_each_engine([](Core& core) {
    for (const bool released : {false, true}) {
      const Duplicated leaving = receive_with_duplicate(core);
      Socket* socket = leaving.socket;
      if (released) {
        socket->quiesce();
        CHECK(core.run([&] { return socket->references(base::Reference::operation) == 0; }));
        CHECK_EQ(socket->release(), leaving.number);
      }
      const std::size_t before = core.count(Event::closed);
      socket->close(false);
      CHECK(core.run([&] { return core.count(Event::closed) == before + 1; }));
      hear_no_more(core, leaving);
      if (released) ::close(leaving.number);
    }
  });
}

TEST_CASE("a socket whose number was closed is heard of no more, though somebody has a duplicate") {
  on_each_engine([](Core& core) {
    const Duplicated loser = receive_with_duplicate(core);
    CHECK_EQ(::close(loser.number), 0);
    loser.socket->close(false);
    CHECK(core.run([&] { return core.count(Event::closed) == 1; }));
    // The kernel still has the registration, and no number by which to end it.
    hear_no_more(core, loser);
  });
}

TEST_CASE("ten thousand connections come and go, and nothing is left") {
  on_each_engine([](Core& core) {
    Socket& listening = core.listener(Family::tcp4, "127.0.0.1");
    const protocol::Name name = Core::local(listening);
    std::size_t accepted = 0;
    for (int round = 0; round < 100; ++round) {
      std::vector<Socket*> clients;
      for (int index = 0; index < 100; ++index) {
        clients.push_back(&core.create(Family::tcp4));
        CHECK_EQ(clients.back()->connect(name), 0);
      }
      std::vector<Socket*> servers;
      CHECK(core.run([&] {
        while (Socket* child = listening.accept()) servers.push_back(child);
        return servers.size() == 100;
      }));
      accepted += servers.size();
      // One in ten is reset, from either side.
      for (std::size_t index = 0; index < servers.size(); ++index) {
        servers[index]->close(index % 10 == 0);
        clients[index]->close(index % 10 == 5);
      }
      CHECK(core.run([&] { return core.layer.live() == 1; }));
      core.seen.clear();
    }
    CHECK_EQ(accepted, 10000U);
    CHECK_EQ(core.ledger.attached, 20001U);
  });
}

}  // namespace
}  // namespace soref
