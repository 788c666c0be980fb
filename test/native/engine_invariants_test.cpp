// The invariants of operations, buffers and sends, broken on purpose: by an engine that completes
// what it should not, and by a caller who asks an engine for what no caller may.
#include <memory>
#include <string>
#include <vector>

#include "broken_invariant.h"
#include "engine/completion_queue.h"
#include "engine/pending_send.h"
#include "engine_fixture.h"
#if SOREF_HAVE_LIBURING
#include "engine/uring_buffers.h"
#endif

namespace soref::engine {
namespace {

constexpr const char* kChannel = "channel of descriptor ";

// The report of what `breaks` does to the operations of an open channel and of one more queue.
std::string after(void (*breaks)(CompletionQueue&, Channel&, CompletionQueue&)) {
  return report_of([&] {
    base::Ledger ledger;
    CompletionQueue queue(ledger);
    CompletionQueue another(ledger);
    Channel channel;
    channel.descriptor = 0;
    breaks(queue, channel, another);
  });
}

// Whether an invariant of a structure that serves no socket in particular is reported.
void check_report_of(const std::string& report, const std::string& invariant) {
  CHECK(report.find("soref: invariant broken: " + invariant + "\n  condition: ") == 0);
}

TEST_CASE("only reading operations complete more than once") {
  check_report(after([](CompletionQueue& queue, Channel& channel, CompletionQueue&) {
                 queue.start(channel, Kind::send);
                 queue.progress(channel, Kind::send, 1, kNoBuffer);
               }),
               "only reading operations complete more than once", kChannel);
}

TEST_CASE("a completion has its operation's kind") {
  check_report(after([](CompletionQueue& queue, Channel& channel, CompletionQueue&) {
                 queue.start(channel, Kind::receive);
                 queue.progress(channel, Kind::accept, 1, kNoBuffer);
               }),
               "a completion has its operation's kind", kChannel);
  check_report(after([](CompletionQueue& queue, Channel& channel, CompletionQueue&) {
                 queue.start(channel, Kind::connect);
                 queue.finish(channel, Kind::send, 0);
               }),
               "a completion has its operation's kind", kChannel);
}

TEST_CASE("a completion belongs to an operation in flight") {
  check_report(after([](CompletionQueue& queue, Channel& channel, CompletionQueue&) {
                 queue.progress(channel, Kind::receive, 1, 0);
               }),
               "a completion belongs to an operation in flight", kChannel);
  check_report(after([](CompletionQueue& queue, Channel& channel, CompletionQueue&) {
                 queue.start(channel, Kind::receive);
                 queue.finish(channel, Kind::receive, 0);
                 queue.progress(channel, Kind::receive, 1, 0);
               }),
               "a completion belongs to an operation in flight", kChannel);
}

TEST_CASE("no more operations finish than have started") {
  check_report(after([](CompletionQueue& queue, Channel& channel, CompletionQueue& another) {
                 queue.start(channel, Kind::receive);
                 another.finish(channel, Kind::receive, 0);
               }),
               "no more operations finish than have started", kChannel);
}

TEST_CASE("a final completion is taken once") {
  check_report(after([](CompletionQueue& queue, Channel& channel, CompletionQueue&) {
                 queue.start(channel, Kind::receive);
                 queue.finish(channel, Kind::receive, 0);
                 channel.read_state = OperationState::idle;
                 Completion completion;
                 static_cast<void>(queue.take(completion));
               }),
               "a final completion is taken once", kChannel);
}

TEST_CASE("an engine goes only when no operation is in flight") {
  check_report(after([](CompletionQueue& queue, Channel& channel, CompletionQueue&) {
                 queue.start(channel, Kind::receive);
               }),
               "an engine goes only when no operation is in flight", "ledger: ");
}

// The report of what `breaks` does with an engine of its own, whose pool has four buffers.
std::string on_engine(EngineFixture& fixture, void (*breaks)(EngineFixture&, Channel&)) {
  return report_of([&] {
    fixture.restart(4096, 4);
    Channel channel;
    channel.descriptor = fixture.stream_pair()[0];
    breaks(fixture, channel);
  });
}

ENGINE_TEST("a channel is forgotten when it has nothing in flight") {
  check_report(on_engine(fixture,
                         [](EngineFixture& engine, Channel& channel) {
                           engine.engine->receive(channel);
                           engine.engine->forget(channel);
                         }),
               "a channel is forgotten when it has nothing in flight", kChannel);
}

ENGINE_TEST("a buffer comes back once, to the pool that it came from") {
  for (const std::uint32_t buffer : {3U, 4U}) {
    check_report_of(report_of([&] {
                      fixture.restart(4096, 4);
                      fixture.engine->recycle(buffer);
                    }),
                    "a buffer comes back once, to the pool that it came from");
  }
}

ENGINE_TEST("one send has a limited number of pieces") {
  check_report_of(on_engine(fixture,
                            [](EngineFixture& engine, Channel& channel) {
                              char byte = 'x';
                              const std::vector<iovec> many(kMaximumPieces + 1, {&byte, 1});
                              engine.engine->send(channel, many);
                            }),
                  "one send has a limited number of pieces");
}

TEST_CASE("no more is kept of a send, and no more leaves, than it has") {
  char byte = 'x';
  check_report_of(report_of([&] {
                    const std::vector<iovec> many(kMaximumPieces + 1, {&byte, 1});
                    const PendingSend rest(many, 0);
                  }),
                  "one send has a limited number of pieces");
  check_report_of(report_of([&] {
                    const std::vector<iovec> one(1, {&byte, 1});
                    PendingSend(one, 0).advance(2);
                  }),
                  "no more bytes leave than were given");
}

TEST_CASE("epoll: connect is a channel's first operation") {
  check_report(report_of([] {
                 EngineFixture fixture(make_epoll);
                 Channel channel;
                 channel.descriptor = fixture.stream_pair()[0];
                 fixture.engine->receive(channel);
                 fixture.engine->connect(channel);
               }),
               "connect is a channel's first operation", kChannel);
}

// That the pool is not fuller than it was does not do: the other buffer is still with its reader.
TEST_CASE("epoll: a buffer that is in the pool does not come back to it") {
  check_report(report_of([] {
                 EngineFixture fixture(make_epoll, 4096, 4);
                 fixture.hold_buffers = true;
                 Channel channel;
                 const std::array<int, 2> pair = fixture.stream_pair();
                 channel.descriptor = pair[0];
                 fixture.engine->receive(channel);
                 CHECK_EQ(::send(pair[1], "x", 1, 0), 1);
                 CHECK(fixture.run_until([&] { return fixture.held.size() == 1; }));
                 fixture.engine->recycle((fixture.held[0] + 1) % 4);
               }),
               "a buffer comes back once", "ledger: ");
}

#if SOREF_HAVE_LIBURING
TEST_CASE("io_uring: the kernel holds nothing of an idle channel") {
  EngineFixture available(make_uring_limited);
  if (available.engine == nullptr) return;
  check_report(report_of([] {
                 EngineFixture fixture(make_uring_limited);
                 Channel channel;
                 channel.descriptor = fixture.stream_pair()[0];
                 channel.engine_flags = 1;
                 fixture.engine->forget(channel);
               }),
               "the kernel holds nothing of an idle channel", kChannel);
}

TEST_CASE("io_uring: the kernel fills only buffers that it was given") {
  check_report_of(report_of([] { UringBuffers({}).taken(); }),
                  "the kernel fills only buffers that it was given");
}
#endif

}  // namespace
}  // namespace soref::engine
