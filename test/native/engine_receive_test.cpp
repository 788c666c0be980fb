// Receiving, on every engine: data, how it ends, cancelling, and a pool that runs empty.
#include "engine_flow.h"

namespace soref::engine {
namespace {

ENGINE_TEST("data comes whole and in order, then the end") {
  Channel channel;
  const auto [near, far] = fixture.tcp_pair();
  channel.descriptor = near;
  Record& record = fixture.records[&channel];
  fixture.engine->receive(channel);
  fixture.run_for_a_while();
  CHECK_EQ(record.completions, 0);
  CHECK(!fixture.engine->has_work());
  for (const std::string text : {"one", "two", "three"}) {
    CHECK_EQ(::send(far, text.data(), text.size(), 0), text.size());
    const std::size_t wanted = record.received.size() + text.size();
    CHECK(fixture.run_until([&] { return record.received.size() == wanted; }));
  }
  CHECK_EQ(record.received, "onetwothree");
  CHECK(record.ends.empty());
  // The last bytes and the end arrive together.
  CHECK_EQ(::send(far, "four", 4, 0), 4);
  ::close(far);
  CHECK(fixture.run_until([&] { return channel.idle(); }));
  CHECK_EQ(record.received, "onetwothreefour");
  REQUIRE_EQ(record.ends.size(), 1);
  CHECK_EQ(record.ends[0], 0);
  // The end comes again for who asks again.
  fixture.engine->receive(channel);
  CHECK(fixture.run_until([&] { return channel.idle(); }));
  CHECK_EQ(record.ends.at(1), 0);
  fixture.end(channel);
}

ENGINE_TEST("data that was there before the operation is received") {
  Channel channel;
  const auto [near, far] = fixture.stream_pair();
  channel.descriptor = near;
  Record& record = fixture.records[&channel];
  CHECK_EQ(::send(far, "early", 5, 0), 5);
  ::shutdown(far, SHUT_WR);
  fixture.engine->receive(channel);
  CHECK(fixture.run_until([&] { return channel.idle(); }));
  CHECK_EQ(record.received, "early");
  CHECK_EQ(record.ends.at(0), 0);
  fixture.end(channel);
  ::close(far);
}

ENGINE_TEST("a reset is an error, once") {
  Channel channel;
  const auto [near, far] = fixture.tcp_pair();
  channel.descriptor = near;
  fixture.engine->receive(channel);
  fixture.run_for_a_while();
  reset_on_close(far);
  ::close(far);
  CHECK(fixture.run_until([&] { return channel.idle(); }));
  CHECK_EQ(fixture.records[&channel].ends.size(), 1);
  CHECK_EQ(fixture.records[&channel].ends.at(0), -ECONNRESET);
  fixture.end(channel);
}

ENGINE_TEST("receiving from what is no socket ends with the error") {
  std::array<int, 2> ends{};
  REQUIRE_EQ(::pipe(ends.data()), 0);
  Channel channel;
  channel.descriptor = fixture.prepare(ends[0]);
  CHECK_EQ(::write(ends[1], "x", 1), 1);
  fixture.engine->receive(channel);
  CHECK(fixture.run_until([&] { return channel.idle(); }));
  CHECK_EQ(fixture.records[&channel].ends.at(0), -ENOTSOCK);
  fixture.end(channel);
  ::close(ends[1]);
}

ENGINE_TEST("a short read is no end of the data: urgent data and passed descriptors") {
  Channel channel;
  const auto [near, far] = fixture.tcp_pair();
  channel.descriptor = near;
  Record& record = fixture.records[&channel];
  fixture.engine->receive(channel);
  fixture.run_for_a_while();
  CHECK_EQ(::send(far, "before", 6, 0), 6);
  CHECK_EQ(::send(far, "!", 1, MSG_OOB), 1);
  CHECK_EQ(::send(far, "after", 5, 0), 5);
  CHECK(fixture.run_until([&] { return record.received == "beforeafter"; }));
  fixture.end(channel);
  ::close(far);

  Channel local;
  const auto [local_near, local_far] = fixture.stream_pair();
  local.descriptor = local_near;
  Record& local_record = fixture.records[&local];
  fixture.engine->receive(local);
  fixture.run_for_a_while();
  const int before = open_descriptors();
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  iovec piece{const_cast<char*>("with"), 4};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  *reinterpret_cast<int*>(CMSG_DATA(header)) = local_far;
  CHECK_EQ(::sendmsg(local_far, &message, 0), 4);
  CHECK_EQ(::send(local_far, "without", 7, 0), 7);
  CHECK(fixture.run_until([&] { return local_record.received == "withwithout"; }));
  CHECK_EQ(open_descriptors(), before);
  fixture.end(local);
  ::close(local_far);
}

ENGINE_TEST("a cancelled receive ends once and loses nothing") {
  Channel channel;
  const auto [near, far] = fixture.stream_pair();
  channel.descriptor = near;
  Record& record = fixture.records[&channel];
  fixture.engine->cancel_read(channel);  // idle: nothing to cancel
  fixture.run_for_a_while();
  CHECK_EQ(record.completions, 0);

  std::string sent;
  for (int i = 0; i < 200; ++i) {
    fixture.engine->receive(channel);
    // Cancelled before it was handed over, after, and with data on the way.
    if (i % 3 > 0) fixture.engine->submit();
    const std::string text = pattern(static_cast<std::size_t>(i) + 1);
    CHECK_EQ(::send(far, text.data(), text.size(), 0), text.size());
    sent += text;
    if (i % 3 > 1) fixture.engine->reap();
    fixture.engine->cancel_read(channel);
    fixture.engine->cancel_read(channel);
    CHECK(fixture.run_until([&] { return channel.idle(); }));
    CHECK_EQ(record.ends.size(), i + 1);
    CHECK_EQ(record.ends.back(), -ECANCELED);
  }
  ::shutdown(far, SHUT_WR);
  fixture.engine->receive(channel);
  CHECK(fixture.run_until([&] { return channel.idle(); }));
  CHECK(record.received == sent);
  CHECK_EQ(record.ends.back(), 0);
  fixture.end(channel);
  ::close(far);
}

void drain_small_pool(EngineFixture& fixture, std::uint32_t buffers) {
  fixture.restart(64, buffers);
  constexpr std::size_t kChannels = 3;
  std::array<Channel, kChannels> channels;
  std::array<int, kChannels> peers{};
  const std::string text = pattern(20'000);
  for (std::size_t i = 0; i < kChannels; ++i) {
    const auto [near, far] = fixture.stream_pair();
    channels[i].descriptor = near;
    peers[i] = far;
    CHECK_EQ(fill(far, text, 0), text.size());
    ::shutdown(far, SHUT_WR);
    fixture.engine->receive(channels[i]);
  }
  fixture.hold_buffers = true;
  CHECK(fixture.run_until([&] { return fixture.held.size() == buffers; }));
  fixture.run_for_a_while();
  CHECK_EQ(fixture.held.size(), buffers);
  CHECK(!fixture.engine->has_work());
  const auto all_ended = [&] {
    bool idle = true;
    for (const Channel& channel : channels) idle = idle && channel.idle();
    return idle;
  };
  // One buffer at a time comes back, slowly.
  for (int turn = 0; turn < 20'000 && !all_ended(); ++turn) {
    if (!fixture.held.empty()) {
      fixture.engine->recycle(fixture.held.back());
      fixture.held.pop_back();
    }
    fixture.engine->submit();
    fixture.engine->reap();
    fixture.take_all();
  }
  CHECK(all_ended());
  for (std::size_t i = 0; i < kChannels; ++i) {
    const Record& record = fixture.records[&channels[i]];
    CHECK(record.received == text);
    CHECK_EQ(record.ends.size(), 1);
    CHECK_EQ(record.ends.at(0), 0);
    fixture.end(channels[i]);
    ::close(peers[i]);
  }
  fixture.hold_buffers = false;
}

ENGINE_TEST("an empty pool waits for buffers, and no byte is lost") {
  drain_small_pool(fixture, 4);
  // A pool that takes many turns to use up.
  drain_small_pool(fixture, 64);
}

// Has the channel take the only buffer, which is held, and wait for more of 300 bytes; returns its
// peer.
int take_only_buffer(EngineFixture& fixture, Channel& channel) {
  fixture.restart(64, 1);
  fixture.hold_buffers = true;
  const auto [near, far] = fixture.stream_pair();
  channel.descriptor = near;
  CHECK_EQ(fill(far, pattern(300), 0), 300);
  fixture.engine->receive(channel);
  CHECK(fixture.run_until([&] { return fixture.held.size() == 1; }));
  return far;
}

ENGINE_TEST("who waits for a buffer receives in the turn in which one comes back") {
  Channel channel;
  const int far = take_only_buffer(fixture, channel);
  for (std::size_t turns = 1; turns <= 3; ++turns) {
    CHECK(fixture.run_until([&] { return fixture.held.size() == turns; }));
    fixture.run_for_a_while();
    fixture.engine->recycle(fixture.held.back());
    CHECK_EQ(portion(fixture, channel), 64);
  }
  fixture.end(channel);
  ::close(far);
}

ENGINE_TEST("who no longer waits for a buffer is no work when one comes back") {
  Channel channel;
  const int far = take_only_buffer(fixture, channel);
  fixture.run_for_a_while();
  fixture.engine->cancel_read(channel);
  CHECK(fixture.run_until([&] { return channel.idle(); }));
  fixture.engine->recycle(fixture.held[0]);
  CHECK(!fixture.engine->has_work());
  fixture.end(channel);
  ::close(far);
}

ENGINE_TEST("a receive that waits for a buffer can be cancelled and forgotten") {
  Channel greedy;
  const int greedy_far = take_only_buffer(fixture, greedy);
  auto waiting = std::make_unique<Channel>();
  const std::array<int, 2> waiting_pair = fixture.stream_pair();
  const int waiting_far = waiting_pair[1];
  waiting->descriptor = waiting_pair[0];
  CHECK_EQ(fill(waiting_far, "kept", 0), 4);
  fixture.engine->receive(*waiting);
  fixture.run_for_a_while();
  CHECK_EQ(fixture.records[waiting.get()].completions, 0);
  // Sending goes on meanwhile.
  const std::string text = pattern(2'000'000);
  const iovec piece{const_cast<char*>(text.data()), text.size()};
  fixture.engine->send(*waiting, {&piece, 1});
  std::string arrived;
  CHECK(fixture.run_until([&] {
    std::array<char, 65536> block{};
    const ssize_t count = ::recv(waiting_far, block.data(), block.size(), MSG_DONTWAIT);
    if (count > 0) arrived.append(block.data(), static_cast<std::size_t>(count));
    return arrived.size() == text.size() && waiting->write_state == OperationState::idle;
  }));
  CHECK(arrived == text);
  fixture.end(*waiting);
  CHECK_EQ(fixture.records[waiting.get()].ends.back(), -ECANCELED);
  waiting.reset();
  fixture.engine->recycle(fixture.held.back());
  fixture.held.clear();
  fixture.hold_buffers = false;
  CHECK(fixture.run_until([&] { return fixture.records[&greedy].received.size() == 300; }));
  fixture.end(greedy);
  ::close(greedy_far);
  ::close(waiting_far);
}

ENGINE_TEST("a channel can go in the middle of a turn, whatever it was doing") {
  for (const bool receives : {false, true}) {
    fixture.restart(64, 4);
    fixture.hold_buffers = true;
    std::vector<Channel> others(1500);
    Channel channel;
    const auto [near, far] = fixture.stream_pair();
    channel.descriptor = near;
    fixture.engine->receive(channel);
    fixture.engine->submit();
    if (receives) {
      const std::string text(64, 'x');
      CHECK_EQ(::send(far, text.data(), text.size(), 0), 64);
    } else {
      fixture.engine->cancel_read(channel);
    }
    // More than a ring takes before the kernel has to be entered.
    for (Channel& other : others) fixture.engine->receive(other);
    fixture.engine->cancel_read(channel);
    fixture.take_all();
    if (channel.idle()) {
      fixture.engine->forget(channel);
      ::close(near);
    } else {
      fixture.end(channel);
    }
    CHECK(fixture.run_until([&] {
      for (const Channel& other : others) {
        if (!other.idle()) return false;
      }
      return true;
    }));
    fixture.run_for_a_while();
    for (Channel& other : others) fixture.engine->forget(other);
    ::close(far);
    fixture.held.clear();
  }
}

}  // namespace
}  // namespace soref::engine
