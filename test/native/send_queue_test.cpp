// The send queue: order, coalescing, pins and marks.
#include "protocol/send_queue.h"

#include <array>
#include <string>
#include <string_view>

#include "broken_invariant.h"
#include "check.h"

using soref::protocol::Pin;
using soref::protocol::SendQueue;

namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string front(SendQueue& queue) {
  std::array<iovec, 16> pieces;
  std::string text;
  const std::size_t count = queue.front(pieces);
  for (std::size_t index = 0; index < count; ++index) {
    text.append(static_cast<const char*>(pieces[index].iov_base), pieces[index].iov_len);
  }
  return text;
}

class CountedPin final : public Pin {
 public:
  explicit CountedPin(int& pinned) : pinned_(&pinned) { ++*pinned_; }
  ~CountedPin() override { --*pinned_; }

 private:
  int* pinned_;
};

}  // namespace

TEST_CASE("small writes of a turn leave as one piece") {
  SendQueue queue;
  queue.append_copy(bytes("one "));
  queue.append_copy(bytes("two"));
  std::array<iovec, 16> pieces;
  CHECK_EQ(queue.front(pieces), 1U);
  CHECK_EQ(front(queue), std::string("one two"));
}

TEST_CASE("a piece in the kernel's hands does not grow") {
  SendQueue queue;
  queue.append_copy(bytes("sent"));
  CHECK_EQ(front(queue), std::string("sent"));
  queue.append_copy(bytes("later"));
  std::array<iovec, 16> pieces;
  CHECK_EQ(queue.front(pieces), 2U);
}

TEST_CASE("bytes leave in order, across pieces and in parts") {
  SendQueue queue;
  int pinned = 0;
  const std::string large = "0123456789";
  queue.append_copy(bytes("ab"));
  queue.append_pinned(bytes(large), std::make_unique<CountedPin>(pinned));
  queue.append_copy(bytes("yz"));
  CHECK_EQ(front(queue), std::string("ab0123456789yz"));
  CHECK_EQ(queue.consume(5), 0U);
  CHECK_EQ(front(queue), std::string("3456789yz"));
  CHECK_EQ(pinned, 1);
  CHECK_EQ(queue.consume(7), 0U);
  CHECK_EQ(pinned, 0);
  CHECK_EQ(front(queue), std::string("yz"));
  CHECK_EQ(queue.consume(2), 0U);
  CHECK(queue.empty());
}

TEST_CASE("a mark is reached exactly when the last byte before it has left") {
  SendQueue queue;
  queue.append_copy(bytes("abc"));
  queue.mark();
  queue.append_copy(bytes("de"));
  queue.mark();
  queue.mark();
  CHECK_EQ(queue.awaited(), 3U);
  CHECK_EQ(queue.consume(2), 0U);
  CHECK_EQ(queue.consume(1), 1U);
  CHECK_EQ(queue.consume(2), 2U);
  CHECK_EQ(queue.awaited(), 0U);
}

TEST_CASE("a mark on an empty queue is reached by nothing leaving") {
  SendQueue queue;
  queue.append_copy({});
  queue.mark();
  CHECK_EQ(queue.consume(0), 1U);
}

TEST_CASE("clearing lets go of every pin and mark") {
  SendQueue queue;
  int pinned = 0;
  queue.append_pinned(bytes("x"), std::make_unique<CountedPin>(pinned));
  queue.mark();
  queue.clear();
  CHECK_EQ(pinned, 0);
  CHECK_EQ(queue.awaited(), 0U);
  CHECK_EQ(queue.size(), 0U);
  queue.append_copy(bytes("again"));
  CHECK_EQ(front(queue), std::string("again"));
}

TEST_CASE("no more bytes leave than were queued") {
  const std::string report = soref::report_of([] {
    SendQueue queue;
    queue.append_copy(bytes("four"));
    static_cast<void>(queue.consume(5));
  });
  CHECK(report.find("soref: invariant broken: no more bytes leave than were queued\n") == 0);
}
