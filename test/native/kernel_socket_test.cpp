// Kernel sockets through the whole core below binding/, on every engine that this machine has: real
// connections on loopback and on Unix paths, and what is left of them afterwards.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "host/host_stack.h"
#include "recording_sink.h"

namespace soref {
namespace {

using protocol::Family;
using socket::Event;
using socket::Recorded;
using socket::Socket;

// One environment without JavaScript.
struct Core {
  static constexpr std::uint32_t kBufferSize = 4096;
  static constexpr std::uint32_t kBuffers = 16;

  std::vector<std::byte> memory = std::vector<std::byte>(std::size_t{kBufferSize} * kBuffers);
  base::Ledger ledger;
  engine::Selection selection;
  host::HostStack stack;
  protocol::Switch protocols;
  socket::RecordingSink sink;
  socket::SocketLayer layer;

  explicit Core(engine::Choice choice)
      : selection(engine::make_engine(choice, {memory.data(), kBufferSize, kBuffers}, ledger)),
        stack(std::move(selection.engine), ledger),
        layer(protocols, sink, ledger) {
    stack.register_protocols(protocols);
  }
  ~Core() {
    layer.close_all();
    run([&] { return layer.live() == 0; });
    CHECK_EQ(ledger.attached, ledger.detached);
    CHECK_EQ(ledger.descriptors, 0U);
    CHECK_EQ(ledger.operations_submitted, ledger.operations_completed);
  }

  void turn() {
    layer.flush();
    stack.engine().submit();
    stack.engine().acknowledge_wakeup();
    stack.engine().reap();
    while (stack.complete_next()) layer.reclaim();
    layer.report_blocked();
    while (!sink.events.empty()) {
      const Recorded recorded = sink.take();
      seen.push_back(recorded);
      if (recorded.event == Event::data) {
        const auto* start = reinterpret_cast<const char*>(memory.data()) +
                            static_cast<std::size_t>(recorded.first) * kBufferSize;
        received.append(start, static_cast<std::size_t>(recorded.second));
        stack.engine().recycle(static_cast<std::uint32_t>(recorded.first));
      }
    }
    for (const protocol::Chunk chunk : sink.discarded) stack.engine().recycle(chunk.buffer);
    sink.discarded.clear();
    layer.reclaim();
  }

  bool run(const std::function<bool()>& until) {
    for (int attempt = 0; attempt < 3000; ++attempt) {
      turn();
      if (until()) return true;
      ::usleep(1000);
    }
    return false;
  }

  [[nodiscard]] std::size_t count(Event event) const {
    std::size_t found = 0;
    for (const Recorded& recorded : seen) found += recorded.event == event ? 1 : 0;
    return found;
  }
  [[nodiscard]] std::int32_t first_of(Event event) const {
    for (const Recorded& recorded : seen) {
      if (recorded.event == event) return recorded.first;
    }
    return 1;
  }

  Socket& create(Family family) {
    Socket* socket = nullptr;
    CHECK_EQ(layer.create(static_cast<std::uint32_t>(family), {}, socket), 0);
    return *socket;
  }
  Socket& listener(Family family, const std::string& address) {
    Socket& socket = create(family);
    CHECK_EQ(socket.bind({address, 0, 0}, {}), 0);
    CHECK_EQ(socket.listen(128), 0);
    return socket;
  }
  static protocol::Name local(Socket& socket) {
    protocol::Name name;
    CHECK_EQ(socket.protocol().local_name(socket.control_block(), name), 0);
    return name;
  }
  struct Pair {
    Socket* client;
    Socket* server;
  };
  Pair connected(Family family, const std::string& address) {
    Socket& listening = listener(family, address);
    Socket& client = create(family);
    CHECK_EQ(client.connect(local(listening)), 0);
    CHECK(run([&] { return count(Event::connected) == 1 && count(Event::connection) == 1; }));
    CHECK_EQ(first_of(Event::connected), 0);
    Socket* server = listening.accept();
    CHECK(server != nullptr);
    return {&client, server};
  }

  std::vector<Recorded> seen;
  std::string received;
};

bool is_available(engine::Choice choice) {
  std::vector<std::byte> memory(std::size_t{Core::kBufferSize} * Core::kBuffers);
  base::Ledger ledger;
  const auto selection =
      engine::make_engine(choice, {memory.data(), Core::kBufferSize, Core::kBuffers}, ledger);
  if (selection.engine == nullptr) std::printf("  # left out: %s\n", selection.reason.c_str());
  return selection.engine != nullptr;
}

void on_each_engine(const std::function<void(Core&)>& body) {
  for (const engine::Choice choice : {engine::Choice::epoll, engine::Choice::io_uring}) {
    if (!is_available(choice)) continue;
    Core core(choice);
    body(core);
  }
}

std::span<const std::byte> bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string temporary_path() {
  char folder[] = "/tmp/soref-test-XXXXXX";
  CHECK(::mkdtemp(folder) != nullptr);
  return std::string(folder) + "/socket";
}

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

TEST_CASE("a path goes with its listener, an abstract name leaves nothing") {
  on_each_engine([](Core& core) {
    const std::string path = temporary_path();
    Socket& named = core.listener(Family::local, path);
    CHECK_EQ(::access(path.c_str(), F_OK), 0);
    named.close(false);
    CHECK(::access(path.c_str(), F_OK) != 0);
    core.listener(Family::local, path).close(true);
    CHECK(::access(path.c_str(), F_OK) != 0);
    const std::string name = std::string(1, '\0') + "soref-native-test";
    Socket& abstract = core.listener(Family::local, name);
    CHECK_EQ(Core::local(abstract).address, name);
  });
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

TEST_CASE("an address in use is the listen's error") {
  on_each_engine([](Core& core) {
    Socket& first = core.listener(Family::tcp4, "127.0.0.1");
    Socket& second = core.create(Family::tcp4);
    CHECK_EQ(second.bind(Core::local(first), {}), 0);
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

TEST_CASE("a listener without descriptors waits, and accepts when there are some again") {
  on_each_engine([](Core& core) {
    Socket& listening = core.listener(Family::tcp4, "127.0.0.1");
    Socket& client = core.create(Family::tcp4);
    rlimit limit{};
    CHECK_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit none{.rlim_cur = 3, .rlim_max = limit.rlim_max};
    CHECK_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    CHECK_EQ(client.connect(Core::local(listening)), 0);
    CHECK(core.run([&] { return core.stack.has_paused_accepts(); }));
    const std::uint64_t calls = core.stack.engine().system_calls();
    for (int turns = 0; turns < 50; ++turns) core.turn();
    // Waiting costs at most the turn's own calls: nothing is tried before somebody asks.
    CHECK(core.stack.engine().system_calls() - calls <= 200);
    CHECK_EQ(core.count(Event::connection), 0U);
    CHECK_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    core.stack.retry_accepts();
    CHECK(core.run([&] { return core.count(Event::connection) == 1; }));
    CHECK(listening.accept() != nullptr);
  });
}

TEST_CASE("a listener that is closed while it waits for descriptors never accepts again") {
  on_each_engine([](Core& core) {
    Socket& listening = core.listener(Family::tcp4, "127.0.0.1");
    Socket& client = core.create(Family::tcp4);
    rlimit limit{};
    CHECK_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit none{.rlim_cur = 3, .rlim_max = limit.rlim_max};
    CHECK_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    CHECK_EQ(client.connect(Core::local(listening)), 0);
    CHECK(core.run([&] { return core.stack.has_paused_accepts(); }));
    CHECK_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    // An event that nobody has seen keeps the socket beyond its close.
    listening.incoming_failed(-EBADF);
    listening.close(false);
    core.stack.retry_accepts();
    CHECK_EQ(listening.references(base::Reference::operation), 0U);
    CHECK(core.run([&] { return core.count(Event::closed) == 1; }));
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
