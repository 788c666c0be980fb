// One environment without Node: a core, the memory that it shares, and a loop that blocks in
// poll(2) where libuv would. A test or a fuzzer derives from it, writes commands as lib/core does,
// and gets the events one by one.
#pragma once

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/core.h"
#include "core/memory.h"

namespace soref::core {

class EnvironmentWithoutNode {
 public:
  // Null where this machine has no such engine. `memory` must stay until the environment is gone.
  template <typename Derived, typename... Arguments>
  static std::unique_ptr<Derived> start(engine::Choice choice, const Memory& memory,
                                        Arguments&&... arguments) {
    auto ledger = std::make_unique<base::Ledger>();
    engine::Selection selection = engine::make_engine(
        choice, {memory.receive().data(), kReceiveBufferSize, kReceiveBufferCount}, *ledger);
    if (selection.engine == nullptr) return nullptr;
    return std::make_unique<Derived>(memory, std::move(selection.engine), std::move(ledger),
                                     std::forward<Arguments>(arguments)...);
  }

  EnvironmentWithoutNode(const Memory& memory, std::unique_ptr<engine::Engine> engine,
                         std::unique_ptr<base::Ledger> ledger)
      : memory_(&memory),
        shared_(memory.shared()),
        core_(std::move(engine), shared_, std::move(ledger)) {
    // The last environment's, where the memory had one.
    std::fill_n(shared_.control.begin(), kHeaderLength, 0);
  }
  virtual ~EnvironmentWithoutNode() = default;
  EnvironmentWithoutNode(const EnvironmentWithoutNode&) = delete;
  EnvironmentWithoutNode& operator=(const EnvironmentWithoutNode&) = delete;

  // One turn; blocks for at most so long while there is nothing to do.
  void turn(int milliseconds) {
    pollfd wakeup{core_.engine().wakeup_descriptor(), POLLIN, 0};
    if (::poll(&wakeup, 1, core_.end_turn() ? 0 : milliseconds) > 0) {
      core_.engine().acknowledge_wakeup();
    }
    core_.begin_turn();
    core_.deliver([this] { dispatch(); });
  }

 protected:
  virtual void handle(socket::Event event, socket::SocketName name, std::int32_t first,
                      std::int32_t second) = 0;

  // As deliver() of lib/core/event-dispatcher.ts.
  virtual void dispatch() {
    std::int32_t& cursor = shared_.header(Header::event_cursor);
    while (cursor < shared_.header(Header::event_count)) {
      const std::size_t at =
          kEventsAt + std::size_t{static_cast<std::uint32_t>(cursor)} * kEventLength;
      ++cursor;
      // A count that is none; a typed array gives nothing from beyond its end.
      if (at + kEventLength > shared_.control.size()) return;
      const auto event = shared_.control.subspan(at, kEventLength);
      handle(static_cast<socket::Event>(event[0]), name_of(event[1], event[2]), event[3], event[4]);
    }
  }

  // As makeRoom() of lib/core/command-writer.ts.
  void make_room() {
    constexpr auto kLimit = static_cast<std::int32_t>(kCommandLength * kCommandCapacity);
    if (shared_.header(Header::commands_length) >= kLimit) core_.drain();
  }

  // As command() there.
  void command(Command what, socket::SocketName name, std::int32_t first = 0,
               std::int32_t second = 0, std::int32_t third = 0) {
    make_room();
    std::int32_t& length = shared_.header(Header::commands_length);
    const std::array<std::int32_t, kCommandLength> words = {
        static_cast<std::int32_t>(what),
        static_cast<std::int32_t>(name.slot),
        static_cast<std::int32_t>(name.generation),
        first,
        second,
        third};
    // A typed array drops what is written beside it.
    const auto at = std::int64_t{kCommandsAt} + length;
    for (std::size_t index = 0; index < words.size(); ++index) {
      const auto where = static_cast<std::size_t>(at + static_cast<std::int64_t>(index));
      if (where < shared_.control.size()) shared_.control[where] = words[index];
    }
    length = static_cast<std::int32_t>(at - kCommandsAt + kCommandLength);
  }

  // As copy() and sendWritten() of lib/core/transmit-memory.ts.
  void send(socket::SocketName name, std::span<const std::byte> bytes) {
    make_room();
    if (transmit_drains_ != shared_.header(Header::drains)) transmit_used_ = 0;
    if (transmit_used_ + bytes.size() > kTransmitSize) {
      core_.drain();
      transmit_used_ = 0;
    }
    transmit_drains_ = shared_.header(Header::drains);
    std::copy(bytes.begin(), bytes.end(), memory_->transmit().begin() + transmit_used_);
    command(Command::send, name, static_cast<std::int32_t>(transmit_used_),
            static_cast<std::int32_t>(bytes.size()));
    transmit_used_ += static_cast<std::uint32_t>(bytes.size());
  }

  [[nodiscard]] std::span<const std::byte> received(std::int32_t buffer,
                                                    std::int32_t length) const {
    return shared_.receive.subspan(static_cast<std::size_t>(buffer) * kReceiveBufferSize,
                                   static_cast<std::size_t>(length));
  }

  [[nodiscard]] static socket::SocketName name_of(std::int32_t slot, std::int32_t generation) {
    return {static_cast<std::uint32_t>(slot), static_cast<std::uint32_t>(generation)};
  }

  [[nodiscard]] Core& core() noexcept { return core_; }
  [[nodiscard]] const SharedMemory& shared() const noexcept { return shared_; }

 private:
  const Memory* memory_;
  SharedMemory shared_;
  Core core_;
  std::uint32_t transmit_used_ = 0;
  std::int32_t transmit_drains_ = -1;
};

}  // namespace soref::core
