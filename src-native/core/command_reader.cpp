// Decoding and checking of commands.
#include "core/command_reader.h"

#include <array>

namespace soref::core {

bool CommandReader::drain() noexcept {
  const auto length = static_cast<std::uint32_t>(memory_->header(Header::commands_length));
  if (length == 0) return false;
  memory_->header(Header::commands_length) = 0;
  ++memory_->header(Header::turn);
  constexpr std::uint32_t kLimit = kCommandLength * kCommandCapacity;
  if (length > kLimit || length % kCommandLength != 0) {
    ++layer_->ledger().bad_commands;
    return false;
  }
  for (std::uint32_t at = 0; at < length; at += kCommandLength) {
    // A copy, so that what was checked is what is used.
    std::array<std::int32_t, kCommandLength> command;
    const auto source = memory_->control.subspan(kCommandsAt + at, kCommandLength);
    std::copy(source.begin(), source.end(), command.begin());
    execute(command);
  }
  return true;
}

void CommandReader::execute(std::span<const std::int32_t> command) noexcept {
  socket::Socket* found = layer_->find(
      {static_cast<std::uint32_t>(command[1]), static_cast<std::uint32_t>(command[2])});
  if (found == nullptr || found->life() != socket::Life::open) {
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
