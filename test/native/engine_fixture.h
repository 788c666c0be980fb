// What the engines' tests share: one engine with its pool and ledger, real sockets on loopback, and
// a record of what completed. ENGINE_TEST runs its body once for each engine and ring mode.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/ledger.h"
#include "check.h"
#include "engine/engine.h"
#include "engine/epoll_engine.h"
#if SOREF_HAVE_LIBURING
#include "engine/uring_engine.h"
#include "engine/uring_probe.h"
#endif

namespace soref::engine {

inline int open_descriptors() {
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator("/proc/self/fd")) {
    static_cast<void>(file);
    ++count;
  }
  return count;
}

inline void set_nonblocking(int descriptor, bool wanted) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  ::fcntl(descriptor, F_SETFL, wanted ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

// A TCP listener on a free port of 127.0.0.1.
inline int listen_on_loopback(sockaddr_in& address, int backlog = 4096) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  CHECK_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
  CHECK_EQ(::listen(listener, backlog), 0);
  CHECK_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), 0);
  return listener;
}

// A blocking client.
inline int connect_to(const sockaddr_in& address) {
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto* target = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(client, target, sizeof address) == 0) return client;
  ::close(client);
  return -errno;
}

inline void reset_on_close(int descriptor) {
  const linger option{1, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, sizeof option);
}

// What one channel has completed.
struct Record {
  std::vector<int> accepted;
  std::string received;
  std::vector<std::int32_t> ends;  // results of final completions
  int completions = 0;
};

class EngineFixture {
 public:
  using Make = std::unique_ptr<Engine> (*)(BufferPool, base::Ledger&, std::string&);

  explicit EngineFixture(Make make, std::uint32_t buffer_size = 4096,
                         std::uint32_t buffer_count = 64)
      : make_(make) {
    restart(buffer_size, buffer_count);
  }
  ~EngineFixture() {
    if (engine == nullptr) return;
    CHECK_EQ(ledger.operations_submitted, ledger.operations_completed);
  }
  EngineFixture(const EngineFixture&) = delete;
  EngineFixture& operator=(const EngineFixture&) = delete;

  // Another engine with another pool.
  void restart(std::uint32_t buffer_size, std::uint32_t buffer_count) {
    engine.reset();
    memory.assign(std::size_t{buffer_size} * buffer_count, std::byte{0});
    engine = make_({memory.data(), buffer_size, buffer_count}, ledger, reason);
    size_of_buffer = buffer_size;
    records.clear();
    held.clear();
  }

  // Puts a descriptor into the mode that the engine wants.
  int prepare(int descriptor) const {
    set_nonblocking(descriptor, engine->wants_nonblocking());
    return descriptor;
  }
  // Both ends of a Unix stream; the first one is prepared, the second blocks.
  std::array<int, 2> stream_pair() const {
    std::array<int, 2> pair{};
    CHECK_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    prepare(pair[0]);
    return pair;
  }
  // Both ends of a TCP connection; the first one is prepared, the second blocks.
  std::array<int, 2> tcp_pair() const {
    sockaddr_in address{};
    const int listener = listen_on_loopback(address);
    const int far = connect_to(address);
    const int near = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    ::close(listener);
    return {prepare(near), far};
  }

  // Takes what is queued. Buffers are read and given back, unless `hold_buffers`.
  void take_all() {
    Completion completion;
    while (engine->next(completion)) {
      Record& record = records[completion.channel];
      ++record.completions;
      if (completion.final) record.ends.push_back(completion.result);
      if (completion.kind == Kind::accept && completion.result >= 0) {
        record.accepted.push_back(completion.result);
      }
      if (completion.buffer == kNoBuffer) continue;
      const auto* data = reinterpret_cast<const char*>(memory.data()) +
                         std::size_t{completion.buffer} * size_of_buffer;
      record.received.append(data, static_cast<std::size_t>(completion.result));
      if (hold_buffers) {
        held.push_back(completion.buffer);
      } else {
        engine->recycle(completion.buffer);
      }
    }
  }
  // Turns of a loop, until `done` or for about two seconds.
  template <typename Done>
  bool run_until(Done done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    for (;;) {
      engine->submit();
      take_all();
      if (done()) return true;
      if (std::chrono::steady_clock::now() > deadline) return false;
      engine->wait(5);
      take_all();
      if (done()) return true;
    }
  }
  // Some turns, for what must not happen.
  void run_for_a_while() {
    for (int i = 0; i < 10; ++i) {
      engine->submit();
      take_all();
      engine->wait(2);
      take_all();
    }
  }
  // Ends what is in flight and closes the descriptor.
  void end(Channel& channel) {
    engine->cancel_read(channel);
    engine->cancel_write(channel);
    CHECK(run_until([&] { return channel.idle(); }));
    engine->forget(channel);
    ::close(channel.descriptor);
    channel.descriptor = -1;
  }

  base::Ledger ledger;
  std::vector<std::byte> memory;
  std::string reason;
  std::unique_ptr<Engine> engine;
  std::map<const Channel*, Record> records;
  std::vector<std::uint32_t> held;
  bool hold_buffers = false;
  std::size_t size_of_buffer = 0;

 private:
  Make make_;
};

inline std::unique_ptr<Engine> make_epoll(BufferPool pool, base::Ledger& ledger,
                                          std::string& reason) {
  return EpollEngine::make(pool, ledger, reason);
}

#if SOREF_HAVE_LIBURING
template <std::size_t Mode>
std::unique_ptr<Engine> make_uring(BufferPool pool, base::Ledger& ledger, std::string& reason) {
  const RingMode& mode = ring_modes()[Mode];
  reason = try_ring_mode(mode).reason;
  if (!reason.empty()) return nullptr;
  return UringEngine::make(mode, pool, ledger, reason);
}
#endif

// Where io_uring is forbidden there is no engine to test, and the output says so.
inline void run_engine_test(EngineFixture::Make make, void (*body)(EngineFixture&)) {
  EngineFixture fixture(make);
  if (fixture.engine != nullptr) {
    body(fixture);
  } else {
    std::printf("  # cannot run here: %s\n", fixture.reason.c_str());
    CHECK(!fixture.reason.empty());
  }
}

}  // namespace soref::engine

#define ENGINE_TEST_ON(engine_name, make, title, body)                                  \
  static const ::check::Registration CHECK_JOIN(make##_registration_, __LINE__) {       \
    engine_name ": " title, [] { ::soref::engine::run_engine_test(make_##make, body); } \
  }

#if SOREF_HAVE_LIBURING
#define ENGINE_TEST_ON_RINGS(title, body)                           \
  ENGINE_TEST_ON("io_uring", uring_limited, title, body);           \
  ENGINE_TEST_ON("io_uring deferred", uring_deferred, title, body); \
  ENGINE_TEST_ON("io_uring cooperative", uring_cooperative, title, body)
namespace soref::engine {
inline constexpr auto make_uring_limited = make_uring<0>;
inline constexpr auto make_uring_deferred = make_uring<1>;
inline constexpr auto make_uring_cooperative = make_uring<2>;
}  // namespace soref::engine
#else
#define ENGINE_TEST_ON_RINGS(title, body) static_assert(true)
#endif

#define ENGINE_TEST(title)                                                                  \
  static void CHECK_JOIN(engine_test_, __LINE__)(::soref::engine::EngineFixture & fixture); \
  ENGINE_TEST_ON("epoll", epoll, title, CHECK_JOIN(engine_test_, __LINE__));                \
  ENGINE_TEST_ON_RINGS(title, CHECK_JOIN(engine_test_, __LINE__));                          \
  static void CHECK_JOIN(engine_test_, __LINE__)(::soref::engine::EngineFixture & fixture)
