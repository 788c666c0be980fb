// What outlives what, on every engine: wake-ups, forgotten channels, reused descriptors, buffers of
// the kernel that overflow, and engines that go.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "engine_fixture.h"

namespace soref::engine {
namespace {

// As an event loop does: an epoll instance of its own watches the engine's descriptor.
class OuterLoop {
 public:
  explicit OuterLoop(const Engine& engine) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event event{};
    event.events = EPOLLIN;
    CHECK_EQ(::epoll_ctl(epoll_, EPOLL_CTL_ADD, engine.wakeup_descriptor(), &event), 0);
  }
  ~OuterLoop() { ::close(epoll_); }
  OuterLoop(const OuterLoop&) = delete;
  OuterLoop& operator=(const OuterLoop&) = delete;

  // Blocks until the engine wakes the loop. A signal-like interruption is no wake-up.
  bool woken_within(int milliseconds) const {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    do {
      epoll_event event{};
      if (::epoll_wait(epoll_, &event, 1, milliseconds) == 1) return true;
    } while (std::chrono::steady_clock::now() < deadline);
    return false;
  }

 private:
  int epoll_;
};

// The end of a turn. True if the loop may block now.
bool finish_turn(EngineFixture& fixture) {
  for (int i = 0; i < 100; ++i) {
    fixture.engine->submit();
    if (!fixture.engine->has_work()) return true;
    fixture.engine->reap();
    fixture.take_all();
  }
  return false;
}

ENGINE_TEST("the wake-up descriptor wakes for each event and is quiet in between") {
  const OuterLoop loop(*fixture.engine);
  Channel channel;
  const auto [near, far] = fixture.tcp_pair();
  channel.descriptor = near;
  Record& record = fixture.records[&channel];
  fixture.engine->receive(channel);
  for (int i = 1; i <= 50; ++i) {
    REQUIRE(finish_turn(fixture));
    if (i % 10 == 0) CHECK(!loop.woken_within(5));
    CHECK_EQ(::send(far, "x", 1, 0), 1);
    REQUIRE(loop.woken_within(1000));
    fixture.engine->acknowledge_wakeup();
    fixture.engine->reap();
    fixture.take_all();
    CHECK_EQ(record.received.size(), i);
  }
  fixture.end(channel);
  ::close(far);
}

ENGINE_TEST("accept and connect wake the loop too") {
  const OuterLoop loop(*fixture.engine);
  sockaddr_in address{};
  Channel listener;
  listener.descriptor = fixture.prepare(listen_on_loopback(address));
  Record& record = fixture.records[&listener];
  fixture.engine->accept(listener);
  for (std::size_t i = 1; i <= 20; ++i) {
    REQUIRE(finish_turn(fixture));
    const int client = connect_to(address);
    REQUIRE(loop.woken_within(1000));
    fixture.engine->acknowledge_wakeup();
    fixture.engine->reap();
    fixture.take_all();
    CHECK_EQ(record.accepted.size(), i);
    ::close(client);
  }
  for (const int accepted : record.accepted) ::close(accepted);
  fixture.end(listener);
}

ENGINE_TEST("what happens before the loop blocks is not slept through") {
  const OuterLoop loop(*fixture.engine);
  Channel channel;
  const std::array<int, 2> pair = fixture.stream_pair();
  const int near = pair[0];
  const int far = pair[1];
  channel.descriptor = near;
  Record& record = fixture.records[&channel];
  fixture.engine->receive(channel);
  std::size_t sent = 0;
  // Data may come at any point of a turn.
  for (int i = 0; i < 200; ++i) {
    const auto data_at = [&](int point) {
      if (i % 4 == point) sent += static_cast<std::size_t>(::send(far, "y", 1, 0));
    };
    data_at(0);
    fixture.engine->submit();
    data_at(1);
    const bool blocks = !fixture.engine->has_work();
    data_at(2);
    if (blocks && sent > record.received.size()) REQUIRE(loop.woken_within(1000));
    fixture.engine->acknowledge_wakeup();
    data_at(3);
    fixture.engine->reap();
    fixture.take_all();
  }
  CHECK(fixture.run_until([&] { return record.received.size() == sent; }));
  CHECK_EQ(sent, 200);
  fixture.end(channel);
  ::close(far);
}

ENGINE_TEST("a forgotten channel hears nothing, also when its number is used again") {
  auto old_channel = std::make_unique<Channel>();
  const auto [near, far] = fixture.stream_pair();
  old_channel->descriptor = near;
  fixture.engine->receive(*old_channel);
  fixture.run_for_a_while();
  // Somebody else keeps the open file alive, as a child process might.
  const int duplicate = ::dup(near);
  CHECK_EQ(::send(far, "late", 4, 0), 4);
  fixture.engine->cancel_read(*old_channel);
  CHECK(fixture.run_until([&] { return old_channel->idle(); }));
  const int completions = fixture.records[old_channel.get()].completions;
  fixture.engine->forget(*old_channel);
  ::close(near);
  const Channel* gone = old_channel.get();
  old_channel.reset();

  Channel fresh;
  const auto [fresh_near, fresh_far] = fixture.stream_pair();
  CHECK_EQ(fresh_near, near);
  fresh.descriptor = fresh_near;
  fixture.engine->receive(fresh);
  CHECK_EQ(::send(far, "later", 5, 0), 5);
  ::close(far);
  fixture.run_for_a_while();
  if (gone != &fresh) CHECK_EQ(fixture.records[gone].completions, completions);
  CHECK_EQ(fixture.records[&fresh].completions, 0);
  CHECK_EQ(::send(fresh_far, "mine", 4, 0), 4);
  CHECK(fixture.run_until([&] { return fixture.records[&fresh].received == "mine"; }));
  fixture.end(fresh);
  ::close(fresh_far);
  ::close(duplicate);
}

ENGINE_TEST("connections come, talk and go in the same memory and numbers") {
  sockaddr_in address{};
  Channel listener;
  listener.descriptor = fixture.prepare(listen_on_loopback(address));
  Record& record = fixture.records[&listener];
  fixture.engine->accept(listener);
  const int before = open_descriptors();
  // The channels are few, so that each address serves many connections.
  std::array<Channel, 4> channels;
  std::size_t echoed = 0;
  for (int round = 0; round < 500; ++round) {
    std::array<int, 4> clients{};
    for (int& client : clients) {
      client = connect_to(address);
      CHECK_EQ(::send(client, "ping", 4, 0), 4);
    }
    REQUIRE(fixture.run_until([&] { return record.accepted.size() == clients.size(); }));
    for (std::size_t i = 0; i < channels.size(); ++i) {
      fixture.records[&channels[i]] = {};
      channels[i].descriptor = record.accepted[i];
      fixture.engine->receive(channels[i]);
      if (round % 2 == 0) ::close(std::exchange(clients[i], -1));
    }
    record.accepted.clear();
    REQUIRE(fixture.run_until([&] {
      std::size_t heard = 0;
      for (const Channel& channel : channels) heard += fixture.records[&channel].received.size();
      return heard == 16;
    }));
    echoed += 4;
    for (std::size_t i = 0; i < channels.size(); ++i) {
      fixture.end(channels[i]);
      if (clients[i] >= 0) ::close(clients[i]);
    }
  }
  CHECK_EQ(echoed, 2000);
  CHECK_EQ(open_descriptors(), before);
  fixture.end(listener);
}

ENGINE_TEST("thousands of operations at once overflow nothing") {
  fixture.restart(64, 4096);
  constexpr std::size_t kPairs = 3000;
  std::vector<Channel> channels(kPairs);
  std::vector<int> peers;
  for (Channel& channel : channels) {
    const auto [near, far] = fixture.stream_pair();
    channel.descriptor = near;
    peers.push_back(far);
    fixture.engine->receive(channel);
  }
  // Two completions each, more than any ring of the kernel holds, and nobody takes them meanwhile.
  fixture.engine->submit();
  for (const int peer : peers) {
    CHECK_EQ(::send(peer, "z", 1, 0), 1);
    ::shutdown(peer, SHUT_WR);
  }
  CHECK(fixture.run_until(
      [&] { return fixture.ledger.operations_completed == fixture.ledger.operations_submitted; }));
  for (Channel& channel : channels) {
    Record& record = fixture.records[&channel];
    CHECK(record.received == "z" && record.ends.size() == 1 && record.ends[0] == 0);
    fixture.engine->forget(channel);
    ::close(channel.descriptor);
  }
  for (const int peer : peers) ::close(peer);
}

ENGINE_TEST("a descriptor in the other blocking mode works all the same") {
  Channel channel;
  const std::array<int, 2> pair = fixture.stream_pair();
  const int near = pair[0];
  const int far = pair[1];
  set_nonblocking(near, true);
  channel.descriptor = near;
  Record& record = fixture.records[&channel];
  fixture.engine->receive(channel);
  for (int i = 1; i <= 5; ++i) {
    fixture.run_for_a_while();
    CHECK(!fixture.engine->has_work());
    CHECK_EQ(::send(far, "n", 1, 0), 1);
    CHECK(fixture.run_until([&] { return record.received.size() == static_cast<std::size_t>(i); }));
  }
  const std::string text(2'000'000, 'w');
  const iovec piece{const_cast<char*>(text.data()), text.size()};
  fixture.engine->send(channel, {&piece, 1});
  std::size_t arrived = 0;
  std::vector<char> block(100'000);
  CHECK(fixture.run_until([&] {
    const ssize_t count = ::recv(far, block.data(), block.size(), MSG_DONTWAIT);
    if (count > 0) arrived += static_cast<std::size_t>(count);
    return arrived == text.size() && channel.write_state == OperationState::idle;
  }));
  fixture.end(channel);
  CHECK_EQ(record.ends.size(), 2);
  ::close(far);

  sockaddr_in address{};
  Channel listener;
  listener.descriptor = listen_on_loopback(address);
  set_nonblocking(listener.descriptor, true);
  fixture.engine->accept(listener);
  for (std::size_t i = 1; i <= 5; ++i) {
    const int client = connect_to(address);
    CHECK(fixture.run_until([&] { return fixture.records[&listener].accepted.size() == i; }));
    fixture.run_for_a_while();
    CHECK(!fixture.engine->has_work());
    ::close(client);
  }
  for (const int accepted : fixture.records[&listener].accepted) ::close(accepted);
  fixture.end(listener);
}

ENGINE_TEST("waiting ends in time, and an engine leaves no descriptor") {
  const auto start = std::chrono::steady_clock::now();
  fixture.engine->wait(30);
  const auto took = std::chrono::steady_clock::now() - start;
  CHECK(took >= std::chrono::milliseconds(29));
  CHECK(took < std::chrono::milliseconds(500));
  fixture.engine.reset();
  const int before = open_descriptors();
  fixture.restart(4096, 64);
  CHECK(open_descriptors() > before);
  fixture.engine.reset();
  CHECK_EQ(open_descriptors(), before);
}

TEST_CASE("the choice of an engine") {
  base::Ledger ledger;
  std::vector<std::byte> memory(256);
  const BufferPool pool{memory.data(), 64, 4};
  const Selection by_name = make_engine(Choice::epoll, pool, ledger);
  REQUIRE(by_name.engine != nullptr);
  CHECK_EQ(std::string(by_name.engine->name()), "epoll");
  CHECK(by_name.reason.empty());
  const Selection automatic = make_engine(Choice::automatic, pool, ledger);
  REQUIRE(automatic.engine != nullptr);
  const Selection uring = make_engine(Choice::io_uring, pool, ledger);
  // One that cannot run says why; then automatic says the same and takes epoll.
  CHECK(uring.engine != nullptr || !uring.reason.empty());
  CHECK_EQ(std::string(automatic.engine->name()), uring.engine ? "io_uring" : "epoll");
  CHECK_EQ(automatic.reason, uring.reason);
}

// Makes io_uring_setup fail with `error` in this process, as a container's seccomp profile does.
bool forbid_io_uring(unsigned error) {
  std::array<sock_filter, 4> filter{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{filter.size(), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_CASE("where io_uring is forbidden, automatic takes epoll and says why") {
  for (const unsigned error : {1U * EPERM, 1U * ENOSYS, 1U * ENOMEM}) {
    const pid_t child = ::fork();
    if (child == 0) {
      // No check can be made in a process of its own; its exit code tells which step failed.
      if (!forbid_io_uring(error)) ::_exit(2);
      base::Ledger ledger;
      std::vector<std::byte> memory(256);
      const BufferPool pool{memory.data(), 64, 4};
      const Selection forced = make_engine(Choice::io_uring, pool, ledger);
      if (forced.engine != nullptr || forced.reason.empty()) ::_exit(3);
      const Selection automatic = make_engine(Choice::automatic, pool, ledger);
      if (automatic.engine == nullptr || automatic.reason != forced.reason) ::_exit(4);
      ::_exit(std::string(automatic.engine->name()) == "epoll" ? 0 : 5);
    }
    REQUIRE(child > 0);
    int status = 0;
    CHECK_EQ(::waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
  }
}

#if SOREF_HAVE_LIBURING
TEST_CASE("the probe is quick, and leaves nothing open") {
  const int before = open_descriptors();
  const auto start = std::chrono::steady_clock::now();
  const ProbeResult result = probe_io_uring();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  std::printf("  # %s, %.2f ms\n", result.mode ? result.mode->name : result.reason.c_str(),
              took.count());
  CHECK((result.mode != nullptr) == result.reason.empty());
  CHECK(took.count() < 100);  // usually a tenth of a millisecond; this machine may be busy
  CHECK_EQ(open_descriptors(), before);
}

TEST_CASE("a ring that is refused is explained") {
  rlimit original{};
  ::getrlimit(RLIMIT_NOFILE, &original);
  rlimit none = original;
  none.rlim_cur = 0;
  ::setrlimit(RLIMIT_NOFILE, &none);
  const ProbeResult result = probe_io_uring();
  ::setrlimit(RLIMIT_NOFILE, &original);
  CHECK(result.mode == nullptr);
  CHECK(!result.reason.empty());
  // Where io_uring is forbidden, that is found first.
  CHECK(result.error == EMFILE || result.error == EPERM || result.error == ENOSYS);
  CHECK(explain_refusal(EPERM).find("seccomp") != std::string::npos);
  CHECK(explain_refusal(ENOMEM).find("ulimit -l") != std::string::npos);
}
#endif

}  // namespace
}  // namespace soref::engine
