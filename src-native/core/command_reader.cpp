// Decoding and checking of commands.
#include "core/command_reader.h"

#include <array>

namespace soref::core {

bool CommandReader::drain() noexcept {
  if (at_ == length_) {
    at_ = 0;
    length_ = static_cast<std::uint32_t>(memory_->header(Header::commands_length));
    if (length_ == 0) return false;
    memory_->header(Header::commands_length) = 0;
    memory_->header(Header::drains) = static_cast<std::int32_t>(++drains_);
    constexpr std::uint32_t kLimit = kCommandLength * kCommandCapacity;
    if (length_ > kLimit || length_ % kCommandLength != 0) {
      ++layer_->ledger().bad_commands;
      length_ = 0;
      return false;
    }
  }
  for (; at_ < length_; at_ += kCommandLength) {
    // A copy, so that what was checked is what is used.
    std::array<std::int32_t, kCommandLength> command;
    const auto source = memory_->control.subspan(kCommandsAt + at_, kCommandLength);
    std::copy(source.begin(), source.end(), command.begin());
    if (must_wait(command)) return true;
    execute(command);
  }
  return false;
}

socket::Socket* CommandReader::target(std::span<const std::int32_t> command) const noexcept {
  socket::Socket* found = layer_->find(
      {static_cast<std::uint32_t>(command[1]), static_cast<std::uint32_t>(command[2])});
  return found != nullptr && found->life() == socket::Life::open ? found : nullptr;
}

bool CommandReader::must_wait(std::span<const std::int32_t> command) const noexcept {
  if (static_cast<Command>(command[0]) != Command::close) return false;
  const socket::Socket* closing = target(command);
  return closing != nullptr && layer_->others_wait_to_send(*closing);
}

void CommandReader::execute(std::span<const std::int32_t> command) noexcept {
  socket::Socket* found = target(command);
  if (found == nullptr) {
    ++layer_->ledger().stale_names;
    return;
  }
  switch (static_cast<Command>(command[0])) {
    case Command::receive:
      return found->receive(command[3] != 0);
    case Command::send:
      return send(*found, command);
    case Command::shutdown:
      return found->shutdown();
    case Command::close:
      return found->close(command[3] != 0);
    case Command::option: {
      const auto option = static_cast<std::uint32_t>(command[3]);
      if (option >= protocol::kOptionCount) break;
      // Whoever wants to know whether an option took asks by a call, not by a command.
      static_cast<void>(found->protocol().set_option(
          found->control_block(), static_cast<protocol::Option>(option), command[4]));
      return;
    }
  }
  ++layer_->ledger().bad_commands;
}

void CommandReader::send(socket::Socket& socket, std::span<const std::int32_t> command) noexcept {
  const auto offset = static_cast<std::uint32_t>(command[3]);
  const auto length = static_cast<std::uint32_t>(command[4]);
  if (offset > memory_->transmit.size() || length > memory_->transmit.size() - offset) {
    ++layer_->ledger().bad_commands;
    return;
  }
  socket.send_copy(memory_->transmit.subspan(offset, length), command[5] != 0);
}

}  // namespace soref::core
