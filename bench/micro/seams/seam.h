// A seam of the core whose cost is counted: something small that every connection does many times.
// Each is one file of this folder; seams.cpp runs them one at a time.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "core/core.h"

namespace soref::bench {

[[noreturn]] inline void die(const char* what) {
  std::fprintf(stderr, "seams: %s failed\n", what);
  std::exit(1);
}

// The core of one environment, without Node around it, on epoll: what is counted is the core's own
// work, and valgrind need not know io_uring.
class Environment {
 public:
  core::Core& core() { return *core_; }

  // An open socket of the core: one end of a pair, whose other end stays open and silent.
  socket::Socket& open_socket() {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) < 0) die("socketpair");
    peers_.push_back(ends[1]);
    socket::Socket* socket = nullptr;
    const auto family = static_cast<std::uint32_t>(protocol::Family::local);
    const protocol::Origin origin{protocol::Origin::Kind::external, ends[0]};
    if (core_->layer().create(family, origin, socket) != 0) die("attach");
    return *socket;
  }

  // One command, as JavaScript writes it.
  void write(core::Command what, socket::SocketName name, std::int32_t argument) {
    const core::SharedMemory& memory = core_->memory();
    std::int32_t& length = memory.header(core::Header::commands_length);
    const auto at = core::kCommandsAt + static_cast<std::uint32_t>(length);
    const auto command = memory.control.subspan(at, core::kCommandLength);
    command[0] = static_cast<std::int32_t>(what);
    command[1] = static_cast<std::int32_t>(name.slot);
    command[2] = static_cast<std::int32_t>(name.generation);
    command[3] = argument;
    command[4] = command[5] = 0;
    length += static_cast<std::int32_t>(core::kCommandLength);
  }

  // Delivers all events to nobody; returns how many there were.
  std::uint64_t deliver() {
    std::uint64_t delivered = 0;
    core_->deliver([&] {
      const core::SharedMemory& memory = core_->memory();
      const std::int32_t count = memory.header(core::Header::event_count);
      memory.header(core::Header::event_cursor) = count;
      delivered += static_cast<std::uint64_t>(count);
    });
    return delivered;
  }

  ~Environment() {
    core_->shut_down();
    for (const int peer : peers_) close(peer);
  }

  Environment() {
    auto ledger = std::make_unique<base::Ledger>();
    const core::SharedMemory memory{control_, transmit_, receive_};
    const engine::BufferPool pool{receive_.data(), kReceiveBufferSize, kReceiveBuffers};
    engine::Selection selection = engine::make_engine(engine::Choice::epoll, pool, *ledger);
    if (selection.engine == nullptr) die("the engine");
    core_ = std::make_unique<core::Core>(std::move(selection.engine), memory, std::move(ledger));
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  static constexpr std::uint32_t kReceiveBufferSize = 4096;
  static constexpr std::uint32_t kReceiveBuffers = 16;

  std::vector<std::int32_t> control_ = std::vector<std::int32_t>(core::kControlLength);
  std::vector<std::byte> transmit_ = std::vector<std::byte>(core::kTransmitSize);
  std::vector<std::byte> receive_ =
      std::vector<std::byte>(std::size_t{kReceiveBufferSize} * kReceiveBuffers);
  std::unique_ptr<core::Core> core_;
  std::vector<int> peers_;
};

// What is prepared before the count begins is a seam's member; the count is of repeat() alone.
class Seam {
 public:
  Seam() = default;
  virtual ~Seam() = default;
  Seam(const Seam&) = delete;
  Seam& operator=(const Seam&) = delete;

  // Does the seam's operation `count` times.
  virtual void repeat(std::uint64_t count) = 0;
};

// One for each file of this folder.
std::unique_ptr<Seam> reference_seam();
std::unique_ptr<Seam> name_seam();
std::unique_ptr<Seam> command_seam();
std::unique_ptr<Seam> event_seam();
std::unique_ptr<Seam> completion_seam();
std::unique_ptr<Seam> send_queue_seam();
std::unique_ptr<Seam> lifetime_seam();

}  // namespace soref::bench
