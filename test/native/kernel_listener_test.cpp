// Kernel listeners through the whole core below binding/: their paths, and what they do when
// descriptors run out.
#include "kernel_fixture.h"

namespace soref {
namespace {

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

TEST_CASE("a path stays when its listener is given away") {
  on_each_engine([](Core& core) {
    const std::string path = temporary_path();
    Socket& listening = core.listener(Family::local, path);
    listening.quiesce();
    CHECK(core.run([&] { return listening.references(base::Reference::operation) == 0; }));
    const int descriptor = listening.release();
    listening.close(false);
    CHECK(core.run([&] { return core.count(Event::closed) == 1; }));
    CHECK_EQ(::access(path.c_str(), F_OK), 0);
    Socket& client = core.create(Family::local);
    CHECK_EQ(client.connect({path, 0, 0}), 0);
    CHECK(core.run([&] { return core.count(Event::connected) == 1; }));
    CHECK_EQ(core.first_of(Event::connected), 0);
    ::close(descriptor);
    ::unlink(path.c_str());
  });
}

TEST_CASE(
    "whoever shares a listener accepts while the others are busy, and finds it non-blocking") {
  on_each_engine([](Core& busy) {
    const bool uring = std::string(busy.stack.engine().name()) == "io_uring";
    Core idle(uring ? engine::Choice::io_uring : engine::Choice::epoll);
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(::listen(listener, 16), 0);
    for (Core* const core : {&busy, &idle}) {
      Socket* shared = nullptr;
      const protocol::Origin origin{protocol::Origin::Kind::external, ::dup(listener)};
      CHECK_EQ(core->layer.create(static_cast<std::uint32_t>(Family::tcp4), origin, shared), 0);
      CHECK_EQ(shared->listen(16), 0);
      core->turn();
      core->turn();
    }
    CHECK((::fcntl(listener, F_GETFL) & O_NONBLOCK) != 0);
    for (std::size_t connections = 1; connections <= 3; ++connections) {
      sockaddr_in address{};
      socklen_t length = sizeof address;
      auto* const name = reinterpret_cast<sockaddr*>(&address);
      CHECK_EQ(::getsockname(listener, name, &length), 0);
      const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      CHECK_EQ(::connect(client, name, length), 0);
      CHECK(idle.run([&] { return idle.count(Event::connection) == connections; }));
      ::close(client);
    }
    busy.turn();
    CHECK_EQ(busy.count(Event::connection), 0U);
    ::close(listener);
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

}  // namespace
}  // namespace soref
