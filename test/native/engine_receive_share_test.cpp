// How much one channel receives before the others get their turn, on every engine.
#include "engine_flow.h"

namespace soref::engine {
namespace {

// Bytes that each of the next turns brings of a peer who sends as much as fits.
std::vector<std::size_t> portions(EngineFixture& fixture, Channel& channel, int far, int turns) {
  std::vector<std::size_t> sizes;
  for (int turn = 0; turn < turns; ++turn) {
    while (fill(far, pattern(100'000), 0) > 0) continue;
    sizes.push_back(portion(fixture, channel));
  }
  return sizes;
}

// `growing`: where a receive may fill several buffers.
void take_a_flow_in_portions(EngineFixture& fixture, bool growing) {
  constexpr std::size_t kSize = 1024;
  fixture.restart(kSize, 64);
  Channel channel;
  const auto [near, far] = fixture.stream_pair();
  channel.descriptor = near;
  const auto wanted =
      growing ? std::vector<std::size_t>{1, 2, 4, 8, 8} : std::vector<std::size_t>{1, 1, 1, 1, 1};
  for (int begun = 0; begun < 2; ++begun) {
    fixture.engine->receive(channel);
    const std::vector<std::size_t> sizes = portions(fixture, channel, far, 5);
    for (std::size_t turn = 0; turn < wanted.size(); ++turn) {
      CHECK_EQ(sizes[turn], wanted[turn] * kSize);
    }
    // Who stops gets nothing of what would have been next.
    const std::size_t before = fixture.records[&channel].received.size();
    fixture.engine->cancel_read(channel);
    CHECK(fixture.run_until([&] { return channel.idle(); }));
    CHECK_EQ(fixture.records[&channel].received.size(), before);
  }
  fixture.end(channel);
  ::close(far);
}

void take_anew_after_a_pause(EngineFixture& fixture) {
  constexpr std::size_t kSize = 1024;
  fixture.restart(kSize, 64);
  Channel channel;
  const auto [near, far] = fixture.stream_pair();
  channel.descriptor = near;
  fixture.engine->receive(channel);
  // The first fills its share, the others do not, though they end it.
  for (const std::size_t size : {kSize, kSize + kSize / 2, kSize / 2}) {
    CHECK_EQ(fill(far, pattern(size), 0), size);
    CHECK_EQ(portion(fixture, channel), size);
  }
  const std::vector<std::size_t> sizes = portions(fixture, channel, far, 3);
  CHECK_EQ(sizes[0], kSize);
  CHECK_EQ(sizes[1], 2 * kSize);
  CHECK_EQ(sizes[2], 4 * kSize);
  fixture.end(channel);
  ::close(far);
}

ENGINE_TEST_ON("epoll", epoll, "a peer who pauses begins with a small portion",
               take_anew_after_a_pause);
ENGINE_TEST_ON("epoll", epoll, "a flow is taken in portions that grow, and anew after a stop",
               [](EngineFixture& fixture) { take_a_flow_in_portions(fixture, true); });
#if SOREF_HAVE_LIBURING
ENGINE_TEST_ON("io_uring", uring_limited, "a peer who pauses begins with a small portion",
               take_anew_after_a_pause);
ENGINE_TEST_ON("io_uring", uring_limited,
               "a flow is taken in portions that grow, and anew after a stop",
               [](EngineFixture& fixture) { take_a_flow_in_portions(fixture, true); });
ENGINE_TEST_ON("io_uring deferred", uring_deferred, "a flow is taken buffer by buffer",
               [](EngineFixture& fixture) { take_a_flow_in_portions(fixture, false); });
ENGINE_TEST_ON("io_uring cooperative", uring_cooperative, "a flow is taken buffer by buffer",
               [](EngineFixture& fixture) { take_a_flow_in_portions(fixture, false); });
#endif

ENGINE_TEST("one wait after another brings what has come, with no submit between them") {
  constexpr std::size_t kSize = 64;
  fixture.restart(kSize, 4);
  Channel channel;
  const auto [near, far] = fixture.stream_pair();
  channel.descriptor = near;
  const Record& record = fixture.records[&channel];
  fixture.engine->receive(channel);
  fixture.engine->submit();
  for (std::size_t waits = 1; waits <= 3; ++waits) {
    CHECK_EQ(fill(far, pattern(kSize), 0), kSize);
    fixture.engine->wait(500);
    fixture.take_all();
    CHECK_EQ(record.received.size(), waits * kSize);
  }
  fixture.end(channel);
  ::close(far);
}

ENGINE_TEST("a busy connection does not hold up a quiet one") {
  fixture.restart(1024, 8);
  Channel busy;
  const auto [busy_near, busy_far] = fixture.stream_pair();
  busy.descriptor = busy_near;
  Channel quiet;
  const auto [quiet_near, quiet_far] = fixture.stream_pair();
  quiet.descriptor = quiet_near;
  const std::string text = pattern(100'000);
  fixture.engine->receive(busy);
  fixture.engine->receive(quiet);
  CHECK(fill(busy_far, text, 0) > 50'000);
  CHECK_EQ(fill(quiet_far, "hello", 0), 5);
  bool answered = false;
  for (int turn = 0; turn < 12 && !answered; ++turn) {
    fixture.engine->submit();
    fixture.engine->reap();
    fixture.take_all();
    answered = fixture.records[&quiet].received == "hello";
  }
  CHECK(answered);
  CHECK(fixture.run_until([&] { return fixture.records[&busy].received.size() > 50'000; }));
  fixture.end(busy);
  fixture.end(quiet);
  ::close(busy_far);
  ::close(quiet_far);
}

}  // namespace
}  // namespace soref::engine
