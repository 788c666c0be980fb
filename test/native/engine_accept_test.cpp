// Accepting, on every engine: many at once, the errors that end it, and what cancel leaves.
#include "engine_fixture.h"

namespace soref::engine {
namespace {

void close_all(std::vector<int>& descriptors) {
  for (const int descriptor : descriptors) ::close(descriptor);
  descriptors.clear();
}

ENGINE_TEST("one accept operation takes connection after connection") {
  sockaddr_in address{};
  Channel listener;
  listener.descriptor = fixture.prepare(listen_on_loopback(address));
  Record& record = fixture.records[&listener];
  fixture.engine->accept(listener);
  std::vector<int> clients;
  for (std::size_t wave = 1; wave <= 3; ++wave) {
    for (int i = 0; i < 600; ++i) clients.push_back(connect_to(address));
    CHECK(fixture.run_until([&] { return record.accepted.size() >= wave * 600; }));
  }
  CHECK_EQ(record.accepted.size(), 1800);
  CHECK(record.ends.empty());
  CHECK(listener.read_state == OperationState::in_flight);
  const int first = record.accepted[0];
  CHECK_EQ(::fcntl(first, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  CHECK_EQ((::fcntl(first, F_GETFL) & O_NONBLOCK) != 0, fixture.engine->wants_nonblocking());
  fixture.end(listener);
  CHECK_EQ(record.ends.size(), 1);
  CHECK_EQ(record.ends[0], -ECANCELED);
  close_all(record.accepted);
  close_all(clients);
}

ENGINE_TEST("a storm of short connections is counted exactly") {
  sockaddr_in address{};
  Channel listener;
  listener.descriptor = fixture.prepare(listen_on_loopback(address));
  Record& record = fixture.records[&listener];
  const int before = open_descriptors();
  fixture.engine->accept(listener);
  std::size_t closed = 0;
  for (int burst = 0; burst < 100; ++burst) {
    for (int i = 0; i < 100; ++i) {
      const int client = connect_to(address);
      CHECK(client >= 0);
      reset_on_close(client);
      ::close(client);
    }
    fixture.engine->submit();
    fixture.engine->reap();
    fixture.take_all();
    closed += record.accepted.size();
    close_all(record.accepted);
  }
  CHECK(fixture.run_until([&] { return closed + record.accepted.size() >= 10000; }));
  closed += record.accepted.size();
  close_all(record.accepted);
  fixture.run_for_a_while();
  CHECK_EQ(closed, 10000);
  CHECK(record.accepted.empty());
  CHECK(record.ends.empty());
  CHECK_EQ(open_descriptors(), before);
  fixture.end(listener);
}

ENGINE_TEST("accept ends when descriptors run out, and a new one gets who waited") {
  sockaddr_in address{};
  Channel listener;
  listener.descriptor = fixture.prepare(listen_on_loopback(address));
  Record& record = fixture.records[&listener];
  std::vector<int> clients(8);
  for (int& client : clients) client = connect_to(address);

  rlimit original{};
  ::getrlimit(RLIMIT_NOFILE, &original);
  const int next = ::dup(listener.descriptor);
  ::close(next);
  rlimit lowered = original;
  lowered.rlim_cur = static_cast<rlim_t>(next) + 3;
  ::setrlimit(RLIMIT_NOFILE, &lowered);
  fixture.engine->accept(listener);
  CHECK(fixture.run_until([&] { return listener.idle(); }));
  CHECK_EQ(record.accepted.size(), 3);
  REQUIRE_EQ(record.ends.size(), 1);
  CHECK_EQ(record.ends[0], -EMFILE);
  // Nothing goes on by itself, and nothing spins.
  fixture.run_for_a_while();
  CHECK_EQ(record.completions, 4);
  CHECK(!fixture.engine->has_work());

  ::setrlimit(RLIMIT_NOFILE, &original);
  fixture.engine->accept(listener);
  CHECK(fixture.run_until([&] { return record.accepted.size() == 8; }));
  CHECK_EQ(record.ends.size(), 1);
  fixture.end(listener);
  close_all(record.accepted);
  close_all(clients);
}

ENGINE_TEST("accepted descriptors that nobody took go with the engine") {
  sockaddr_in address{};
  Channel listener;
  listener.descriptor = fixture.prepare(listen_on_loopback(address));
  std::vector<int> clients(50);
  for (int& client : clients) client = connect_to(address);
  const int before = open_descriptors();
  fixture.engine->accept(listener);
  for (int i = 0; i < 10; ++i) {
    fixture.engine->submit();
    fixture.engine->reap();
  }
  CHECK(open_descriptors() >= before + 50);
  fixture.engine->cancel_read(listener);
  for (int i = 0; i < 10; ++i) {
    fixture.engine->submit();
    fixture.engine->reap();
  }
  const int with_engine = open_descriptors();
  fixture.engine.reset();
  CHECK(open_descriptors() <= with_engine - 50 - 1);
  CHECK(listener.idle());
  CHECK_EQ(fixture.ledger.operations_submitted, fixture.ledger.operations_completed);
  ::close(listener.descriptor);
  close_all(clients);
}

ENGINE_TEST("a listener that has gone takes no connection more") {
  sockaddr_in address{};
  Channel listener;
  listener.descriptor = fixture.prepare(listen_on_loopback(address));
  Record& record = fixture.records[&listener];
  fixture.engine->accept(listener);
  std::vector<int> clients(3);
  for (std::size_t count = 0; count < clients.size(); ++count) {
    clients[count] = connect_to(address);
    CHECK(fixture.run_until([&] { return record.accepted.size() == count + 1; }));
  }
  fixture.end(listener);
  CHECK(fixture.run_until([&] {
    const int late = connect_to(address);
    if (late >= 0) ::close(late);
    return late == -ECONNREFUSED;
  }));
  close_all(record.accepted);
  close_all(clients);
}

ENGINE_TEST("accept on a socket that does not listen ends with the error") {
  Channel channel;
  channel.descriptor = fixture.prepare(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  fixture.engine->accept(channel);
  CHECK(fixture.run_until([&] { return channel.idle(); }));
  CHECK_EQ(fixture.records[&channel].ends.at(0), -EINVAL);
  fixture.end(channel);
}

}  // namespace
}  // namespace soref::engine
