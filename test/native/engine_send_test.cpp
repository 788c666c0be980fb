// Sending and connecting, on every engine.
#include "engine_fixture.h"

namespace soref::engine {
namespace {

std::string numbered(std::size_t size) {
  std::string text;
  text.reserve(size + 16);
  for (int i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
  text.resize(size);
  return text;
}

iovec piece_of(const std::string& text) { return {const_cast<char*>(text.data()), text.size()}; }

// Reads without blocking what is there, at most `most` bytes; false at the end of the stream.
bool drain(int descriptor, std::string& into, std::size_t most) {
  std::string block(most, '\0');
  const ssize_t count = ::recv(descriptor, block.data(), most, MSG_DONTWAIT);
  if (count > 0) into.append(block, 0, static_cast<std::size_t>(count));
  return count != 0;
}

ENGINE_TEST("a send that fits completes with its submission, in pieces") {
  Channel channel;
  const auto [near, far] = fixture.tcp_pair();
  channel.descriptor = near;
  const std::array<iovec, 4> pieces{iovec{const_cast<char*>("a"), 1}, iovec{nullptr, 0},
                                    iovec{const_cast<char*>("bc"), 2},
                                    iovec{const_cast<char*>("def"), 3}};
  fixture.engine->send(channel, pieces);
  CHECK(fixture.engine->has_work());
  CHECK(!channel.idle());
  fixture.engine->submit();
  fixture.take_all();
  CHECK(channel.idle());
  CHECK_EQ(fixture.records[&channel].ends.at(0), 6);
  std::string received;
  drain(far, received, 100);
  CHECK_EQ(received, "abcdef");
  fixture.engine->send(channel, {});
  fixture.engine->submit();
  fixture.take_all();
  CHECK_EQ(fixture.records[&channel].ends.at(1), 0);
  fixture.end(channel);
  ::close(far);
}

void send_to_a_slow_reader(EngineFixture& fixture, std::array<int, 2> ends) {
  Channel channel;
  channel.descriptor = ends[0];
  // A fixed size: TCP would let its buffer grow beyond what is sent here.
  const int buffer = 65536;
  ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  ::setsockopt(ends[1], SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  const std::string text = numbered(3'000'000);
  std::array<iovec, kMaximumPieces> pieces{};
  const std::size_t part = text.size() / kMaximumPieces;
  for (std::size_t i = 0; i < kMaximumPieces; ++i) {
    pieces[i] = {const_cast<char*>(text.data()) + i * part, part};
  }
  fixture.engine->send(channel, pieces);
  pieces.fill({});  // the array was copied
  fixture.run_for_a_while();
  CHECK(!channel.idle());
  CHECK(!fixture.engine->has_work());
  std::string received;
  CHECK(fixture.run_until([&] {
    drain(ends[1], received, 30'000);
    return channel.idle() && received.size() == text.size();
  }));
  CHECK(received == text);
  CHECK_EQ(fixture.records[&channel].ends.at(0), text.size());
  CHECK_EQ(fixture.records[&channel].completions, 1);
  fixture.end(channel);
  ::close(ends[1]);
}

ENGINE_TEST("a send larger than the socket's buffer waits for a slow reader: TCP") {
  send_to_a_slow_reader(fixture, fixture.tcp_pair());
}

ENGINE_TEST("a send larger than the socket's buffer waits for a slow reader: Unix") {
  send_to_a_slow_reader(fixture, fixture.stream_pair());
}

ENGINE_TEST("a cancelled send tells what has left") {
  for (const bool handed_over : {false, true}) {
    Channel channel;
    const std::array<int, 2> pair = fixture.stream_pair();
    const int near = pair[0];
    const int far = pair[1];
    channel.descriptor = near;
    const std::string text = numbered(2'000'000);
    const iovec piece = piece_of(text);
    fixture.engine->send(channel, {&piece, 1});
    if (handed_over) {
      std::string first;
      for (int i = 0; i < 10; ++i) {
        fixture.run_for_a_while();
        drain(far, first, 40'000);
      }
      CHECK(!first.empty());
    }
    fixture.engine->cancel_write(channel);
    fixture.engine->cancel_write(channel);
    CHECK(fixture.run_until([&] { return channel.idle(); }));
    Record& record = fixture.records[&channel];
    CHECK_EQ(record.completions, 1);
    const std::int32_t sent = record.ends.at(0);
    CHECK(sent > 0);
    CHECK(static_cast<std::size_t>(sent) < text.size());
    // Nothing fits any more, so the next one leaves nothing behind.
    fixture.engine->send(channel, {&piece, 1});
    fixture.engine->cancel_write(channel);
    CHECK(fixture.run_until([&] { return channel.idle(); }));
    if (!handed_over) CHECK_EQ(record.ends.at(1), -ECANCELED);
    ::shutdown(near, SHUT_WR);
    std::string received;
    if (!handed_over) {
      while (drain(far, received, 1 << 20)) {
      }
      CHECK_EQ(received.size(), sent);
      CHECK(text.compare(0, received.size(), received) == 0);
    }
    fixture.records.erase(&channel);
    fixture.end(channel);
    ::close(far);
  }
}

ENGINE_TEST("a send to a peer that has ended its side can be cancelled at any moment") {
  // Such a peer makes a descriptor look ready when it is not, and the kernel try again and again.
  const std::string text = numbered(8'000'000);
  const iovec piece = piece_of(text);
  for (const bool tcp : {false, true}) {
    for (const int turns : {0, 1, 10}) {
      Channel channel;
      const std::array<int, 2> pair = tcp ? fixture.tcp_pair() : fixture.stream_pair();
      channel.descriptor = pair[0];
      CHECK_EQ(::shutdown(pair[1], SHUT_WR), 0);
      fixture.engine->send(channel, {&piece, 1});
      for (int done = 0; done < turns; ++done) fixture.run_until([] { return true; });
      fixture.engine->cancel_write(channel);
      CHECK(fixture.run_until([&] { return channel.idle(); }));
      // A peer that has gone ends it in any case.
      ::close(pair[1]);
      fixture.end(channel);
    }
  }
}

ENGINE_TEST("a send that an error interrupts reports its bytes, and the next one the error") {
  Channel channel;
  const auto [near, far] = fixture.tcp_pair();
  channel.descriptor = near;
  const std::string text = numbered(8'000'000);
  const iovec piece = piece_of(text);
  fixture.engine->send(channel, {&piece, 1});
  fixture.run_for_a_while();
  CHECK(!channel.idle());
  reset_on_close(far);
  ::close(far);
  CHECK(fixture.run_until([&] { return channel.idle(); }));
  Record& record = fixture.records[&channel];
  CHECK(record.ends.at(0) > 0);
  CHECK(static_cast<std::size_t>(record.ends.at(0)) < text.size());
  fixture.engine->send(channel, {&piece, 1});
  CHECK(fixture.run_until([&] { return channel.idle(); }));
  CHECK_EQ(record.ends.at(1), -ECONNRESET);
  // No SIGPIPE: the process is still here.
  fixture.engine->send(channel, {&piece, 1});
  CHECK(fixture.run_until([&] { return channel.idle(); }));
  CHECK_EQ(record.ends.at(2), -EPIPE);
  fixture.end(channel);
}

ENGINE_TEST("both directions run at once") {
  Channel channel;
  const std::array<int, 2> pair = fixture.stream_pair();
  const int near = pair[0];
  const int far = pair[1];
  channel.descriptor = near;
  const std::string out = numbered(1'000'000);
  const std::string back = numbered(700'000);
  const iovec piece = piece_of(out);
  fixture.engine->receive(channel);
  fixture.engine->send(channel, {&piece, 1});
  std::string received;
  std::size_t answered = 0;
  CHECK(fixture.run_until([&] {
    drain(far, received, 20'000);
    const ssize_t count =
        ::send(far, back.data() + answered, std::min<std::size_t>(10'000, back.size() - answered),
               MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) answered += static_cast<std::size_t>(count);
    return received.size() == out.size() &&
           fixture.records[&channel].received.size() == back.size();
  }));
  CHECK(received == out);
  CHECK(fixture.records[&channel].received == back);
  fixture.end(channel);
  ::close(far);
}

int start_connecting(EngineFixture& fixture, const sockaddr_in& address) {
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const auto* target = reinterpret_cast<const sockaddr*>(&address);
  const int result = ::connect(client, target, sizeof address);
  CHECK(result == 0 || errno == EINPROGRESS);
  return fixture.prepare(client);
}

ENGINE_TEST("connect ends well") {
  sockaddr_in address{};
  const int listener = listen_on_loopback(address);
  Channel channel;
  channel.descriptor = start_connecting(fixture, address);
  fixture.engine->connect(channel);
  CHECK(fixture.run_until([&] { return channel.idle(); }));
  CHECK_EQ(fixture.records[&channel].ends.at(0), 0);
  // The same channel sends and receives.
  const int far = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  const std::string text = "hello";
  const iovec piece = piece_of(text);
  fixture.engine->send(channel, {&piece, 1});
  fixture.engine->receive(channel);
  CHECK_EQ(::send(far, "back", 4, 0), 4);
  CHECK(fixture.run_until([&] { return fixture.records[&channel].received == "back"; }));
  std::string received;
  drain(far, received, 100);
  CHECK_EQ(received, "hello");
  fixture.end(channel);
  ::close(far);
  ::close(listener);
}

ENGINE_TEST("connect is refused") {
  sockaddr_in address{};
  ::close(listen_on_loopback(address));
  Channel channel;
  channel.descriptor = start_connecting(fixture, address);
  fixture.engine->connect(channel);
  CHECK(fixture.run_until([&] { return channel.idle(); }));
  CHECK_EQ(fixture.records[&channel].ends.size(), 1);
  CHECK_EQ(fixture.records[&channel].ends.at(0), -ECONNREFUSED);
  fixture.end(channel);
}

ENGINE_TEST("connect can be cancelled while nobody answers") {
  // A listener whose queue is full answers no more.
  sockaddr_in address{};
  const int listener = listen_on_loopback(address, 0);
  std::vector<int> waiting(10);
  Channel channel;
  for (int& client : waiting) client = start_connecting(fixture, address);
  channel.descriptor = start_connecting(fixture, address);
  fixture.engine->connect(channel);
  fixture.run_for_a_while();
  CHECK(!channel.idle());
  CHECK(!fixture.engine->has_work());
  fixture.engine->cancel_write(channel);
  CHECK(fixture.run_until([&] { return channel.idle(); }));
  CHECK_EQ(fixture.records[&channel].ends.at(0), -ECANCELED);
  fixture.end(channel);
  for (const int descriptor : waiting) ::close(descriptor);
  ::close(listener);
}

}  // namespace
}  // namespace soref::engine
