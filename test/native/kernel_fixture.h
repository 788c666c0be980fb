// One environment without JavaScript: the core below binding/ over the kernel's sockets, for the
// tests kernel_*_test.cpp, which run on every engine that this machine has.
#pragma once

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

using socket::Event;
using socket::Recorded;
using socket::Socket;

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
    layer.update_receiving();
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

inline bool is_available(engine::Choice choice) {
  std::vector<std::byte> memory(std::size_t{Core::kBufferSize} * Core::kBuffers);
  base::Ledger ledger;
  const auto selection =
      engine::make_engine(choice, {memory.data(), Core::kBufferSize, Core::kBuffers}, ledger);
  if (selection.engine == nullptr) std::printf("  # left out: %s\n", selection.reason.c_str());
  return selection.engine != nullptr;
}

inline void on_each_engine(const std::function<void(Core&)>& body) {
  for (const engine::Choice choice : {engine::Choice::epoll, engine::Choice::io_uring}) {
    if (!is_available(choice)) continue;
    Core core(choice);
    body(core);
  }
}

inline std::span<const std::byte> bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string temporary_path() {
  char folder[] = "/tmp/soref-test-XXXXXX";
  CHECK(::mkdtemp(folder) != nullptr);
  return std::string(folder) + "/socket";
}

}  // namespace soref
