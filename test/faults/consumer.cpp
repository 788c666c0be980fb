// The consumer's commands and calls.
#include "consumer.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "pinned_bytes.h"

namespace soref::faults {

namespace {

using core::Command;
using core::Header;
using protocol::Family;

constexpr std::uint32_t kMostHolders = 12;
constexpr std::size_t kPool = std::size_t{core::kReceiveBufferSize} * core::kReceiveBufferCount;

}  // namespace

Memory::Memory()
    : control(core::kControlLength),
      transmit(core::kTransmitSize),
      receive(std::make_unique_for_overwrite<std::byte[]>(kPool)) {}

core::SharedMemory Memory::shared() noexcept {
  std::fill_n(control.begin(), core::kHeaderLength, 0);
  return {.control = control, .transmit = transmit, .receive = {receive.get(), kPool}};
}

Consumer::Consumer(core::Core& core, SimulatedKernel& kernel, Memory& memory, Choices& choices,
                   RunReport& report)
    : core_(&core), kernel_(&kernel), memory_(&memory), choices_(&choices), report_(&report) {}

Consumer::~Consumer() {
  for (const int descriptor : released_) kernel_->close_released(descriptor);
}

// --- names

Holder* Consumer::find(std::uint32_t slot, std::uint32_t generation) const noexcept {
  for (const auto& holder : holders_) {
    if (holder->name.slot == slot && holder->name.generation == generation) return holder.get();
  }
  return nullptr;
}

socket::Socket* Consumer::socket_of(const Holder& holder) const noexcept {
  socket::Socket* socket = core_->layer().find(holder.name);
  return socket != nullptr && socket->life() == socket::Life::open ? socket : nullptr;
}

Holder& Consumer::hold(socket::Socket& socket) {
  const int descriptor = socket.protocol().resource(socket.control_block());
  const Endpoint* endpoint = kernel_->find(descriptor);
  SOREF_ASSERT(endpoint != nullptr, "a socket has an open descriptor");
  SOREF_ASSERT(find(socket.name().slot, socket.name().generation) == nullptr,
               "a name is given once");
  Holder& holder = *holders_.emplace_back(std::make_unique<Holder>());
  holder.name = socket.name();
  holder.endpoint = endpoint->id;
  holder.written = endpoint->sent;
  holder.received = endpoint->received;
  return holder;
}

Holder* Consumer::any_open_connection() const noexcept {
  for (const auto& holder : holders_) {
    if (holder->is_open() && !holder->listening) return holder.get();
  }
  return nullptr;
}

// --- making sockets

Holder* Consumer::create(std::uint32_t family) {
  socket::Socket* socket = nullptr;
  const int error = core_->layer().create(family, {}, socket);
  if (error != 0) {
    report_->trace("create failed " + std::to_string(error));
    return nullptr;
  }
  return &hold(*socket);
}

void Consumer::open_listener(std::uint32_t family) {
  Holder* holder = create(family);
  if (holder == nullptr) return;
  report_->trace("listen " + holder->describe());
  core_->settle();
  note_drained();
  protocol::Name name{.address = "10.0.0.1"};
  if (family == static_cast<std::uint32_t>(Family::tcp6)) name.address = "fd00::1";
  if (family == static_cast<std::uint32_t>(Family::local)) {
    name.address = "/simulated/" + std::to_string(next_path_++);
  }
  socket::Socket* socket = socket_of(*holder);
  int error = socket->bind(name, {});
  if (error == 0) error = socket->listen(static_cast<int>(choices_->between(1, 4)));
  holder->listening = error == 0;
  if (error != 0) close(*holder, false);
}

void Consumer::open_connection() {
  std::uint32_t family = static_cast<std::uint32_t>(Family::tcp4);
  protocol::Name name{.address = "192.0.2.1",
                      .port = static_cast<std::uint16_t>(choices_->between(1, 3))};
  std::vector<Holder*> listeners;
  for (const auto& holder : holders_) {
    if (holder->is_open() && holder->listening) listeners.push_back(holder.get());
  }
  if (!listeners.empty() && choices_->below(3) != 0) {
    const auto choice = choices_->below(static_cast<std::uint32_t>(listeners.size()));
    socket::Socket* target = socket_of(*listeners[choice]);
    if (target == nullptr) return;
    if (target->protocol().local_name(target->control_block(), name) != 0) return;
    family = name.family == 0   ? static_cast<std::uint32_t>(Family::local)
             : name.family == 6 ? static_cast<std::uint32_t>(Family::tcp6)
                                : family;
  }
  Holder* holder = create(family);
  if (holder == nullptr) return;
  report_->trace("connect " + holder->describe() + " to port " + std::to_string(name.port));
  core_->settle();
  note_drained();
  socket::Socket* socket = socket_of(*holder);
  holder->connecting = true;
  if (socket->connect(name) == 0) return;
  holder->connecting = false;
  close(*holder, false);
}

void Consumer::adopt() {
  const int descriptor = kernel_->connected_descriptor();
  if (descriptor >= 0) adopt_descriptor(descriptor);
}

void Consumer::adopt_descriptor(int descriptor) {
  core_->settle();
  note_drained();
  socket::Socket* socket = nullptr;
  // A protocol takes nothing that is another one's.
  const int taken = core_->layer().create(static_cast<std::uint32_t>(Family::tcp4),
                                          {protocol::Origin::Kind::external, descriptor}, socket);
  const bool is_tcp = kernel_->find(descriptor)->domain == AF_INET;
  report_->expect(is_tcp || taken < 0, "a socket is adopted by its own protocol", "descriptor");
  if (taken == 0) return hold_adopted(*socket);
  const int family = core_->layer().protocols().family_of(descriptor);
  if (family < 0 ||
      core_->layer().create(static_cast<std::uint32_t>(family),
                            {protocol::Origin::Kind::external, descriptor}, socket) != 0) {
    // Nothing was attached, so it is still ours.
    released_.push_back(descriptor);
    return;
  }
  hold_adopted(*socket);
}

void Consumer::hold_adopted(socket::Socket& socket) {
  Holder& holder = hold(socket);
  report_->trace("adopt " + holder.describe());
  holder.connected = socket.connection() == socket::Connection::connected;
  const Endpoint& endpoint = kernel_->endpoint(holder.endpoint);
  holder.shutdown_asked = holder.shutdown_answered = endpoint.end_sent;
}

// --- commands

void Consumer::command(Command what, const Holder& holder, std::int32_t first, std::int32_t second,
                       std::int32_t third) {
  std::int32_t& length = memory_->header(Header::commands_length);
  const std::array<std::int32_t, core::kCommandLength> words = {
      static_cast<std::int32_t>(what),
      static_cast<std::int32_t>(holder.name.slot),
      static_cast<std::int32_t>(holder.name.generation),
      first,
      second,
      third};
  const auto at = core::kCommandsAt + static_cast<std::uint32_t>(length);
  std::copy(words.begin(), words.end(), memory_->control.begin() + at);
  length += static_cast<std::int32_t>(core::kCommandLength);
}

void Consumer::note_drained() {
  for (const auto& holder : holders_) {
    if (holder->phase != Phase::closing || holder->close_carried_out) continue;
    holder->close_carried_out = true;
    holder->last_batch = batch_;
  }
}

void Consumer::write(Holder& holder) {
  const std::int32_t drains = memory_->header(Header::drains);
  if (transmit_drains_ != drains) transmit_used_ = 0;
  transmit_drains_ = drains;
  const std::size_t length = choices_->below(100);
  for (std::size_t at = 0; at < length; ++at) {
    memory_->transmit[transmit_used_ + at] = byte_of(holder.endpoint, holder.written++);
  }
  const bool notify = choices_->below(2) == 0;
  if (notify) ++holder.awaited;
  report_->trace("write " + std::to_string(length) + " to " + holder.describe());
  command(Command::send, holder, static_cast<std::int32_t>(transmit_used_),
          static_cast<std::int32_t>(length), notify ? 1 : 0);
  transmit_used_ += length;
}

void Consumer::write_pinned(Holder& holder) {
  core_->drain();
  note_drained();
  socket::Socket* socket = socket_of(holder);
  if (socket == nullptr) return;
  std::vector<std::byte> bytes(choices_->between(1, 4000));
  for (std::byte& byte : bytes) byte = byte_of(holder.endpoint, holder.written++);
  report_->trace("write pinned " + std::to_string(bytes.size()) + " to " + holder.describe());
  auto pin = std::make_unique<core::Pinned>(std::move(bytes), core_->ledger());
  const std::span<const std::byte> pinned = pin->bytes();
  socket->send_pinned(pinned, std::move(pin));
  if (choices_->below(2) == 0) core_->send_now(*socket);
  if (socket->notify_when_drained()) ++holder.awaited;
}

void Consumer::receive(Holder& holder, bool wanted) {
  report_->trace((wanted ? "receive " : "pause ") + holder.describe());
  holder.reading = wanted;
  command(Command::receive, holder, wanted ? 1 : 0);
}

void Consumer::shut_down(Holder& holder) {
  report_->trace("shut down " + holder.describe());
  holder.shutdown_asked = true;
  command(Command::shutdown, holder);
}

void Consumer::close(Holder& holder, bool reset) {
  report_->trace((reset ? "reset " : "close ") + holder.describe());
  holder.phase = Phase::closing;
  command(Command::close, holder, reset ? 1 : 0);
}

// --- release

void Consumer::take_bytes(Holder& holder, std::span<const std::byte> bytes) {
  const Endpoint& endpoint = kernel_->endpoint(holder.endpoint);
  expect(endpoint.peer != nullptr && !bytes.empty(), "bytes come from a peer", holder);
  if (endpoint.peer == nullptr) return;
  bool right = true;
  for (const std::byte byte : bytes) {
    right = right && byte == byte_of(endpoint.peer->id, holder.received++);
  }
  expect(right, "bytes arrive once each, in the order in which they were sent", holder);
}

std::span<const std::byte> Consumer::received(std::int32_t buffer, std::int32_t length) const {
  const std::size_t at = static_cast<std::size_t>(buffer) * core::kReceiveBufferSize;
  return {memory_->receive.get() + at, static_cast<std::size_t>(length)};
}

void Consumer::release(Holder& holder) {
  core_->drain();
  note_drained();
  socket::Socket* socket = socket_of(holder);
  if (socket == nullptr) return;
  report_->trace("release " + holder.describe());
  // What lies in the batch that is being delivered is the older part.
  const auto count = memory_->header(Header::event_count);
  auto index = memory_->header(Header::event_cursor);
  for (; index < count; ++index) {
    const std::span<std::int32_t> event = memory_->event(index);
    if (event[0] != static_cast<std::int32_t>(socket::Event::data)) continue;
    if (find(static_cast<std::uint32_t>(event[1]), static_cast<std::uint32_t>(event[2])) != &holder)
      continue;
    take_bytes(holder, received(event[3], event[4]));
    event[2] = 0;
  }
  const Endpoint& endpoint = kernel_->endpoint(holder.endpoint);
  std::uint64_t unsent = 0;
  const int descriptor = core_->release(
      *socket, [&](std::span<const std::byte> bytes) { take_bytes(holder, bytes); },
      [&](std::span<const std::byte> bytes) {
        bool right = true;
        for (const std::byte byte : bytes) {
          right = right && byte == byte_of(holder.endpoint, endpoint.sent + unsent++);
        }
        expect(right, "what was not sent is given back in its order", holder);
      });
  expect(descriptor == endpoint.descriptor, "the descriptor itself is given away", holder);
  expect(endpoint.operations == 0, "nothing is in flight on what is given away", holder);
  expect(endpoint.disturbed || endpoint.reset || holder.send_over ||
             endpoint.sent + unsent == holder.written,
         "each byte has left or is given back", holder);
  holder.phase = Phase::detached;
  holder.close_carried_out = true;
  holder.last_batch = batch_;
  if (endpoint.state == EndpointState::connected && choices_->below(2) == 0) {
    adopt_descriptor(descriptor);
  } else {
    released_.push_back(descriptor);
  }
}

// --- by choice

void Consumer::act() {
  std::uint32_t open = 0;
  for (const auto& holder : holders_) open += holder->is_open() ? 1 : 0;
  const std::uint32_t what = open == 0 ? choices_->below(3) : choices_->below(12);
  if (what < 3 && open < kMostHolders) {
    if (what == 0) return open_listener(choices_->below(protocol::kFamilies));
    return what == 1 ? open_connection() : adopt();
  }
  if (holders_.empty()) return;
  // Also sockets that are no more: their names must find nothing.
  const auto choice = choices_->below(static_cast<std::uint32_t>(holders_.size()));
  act_on(*holders_[choice]);
}

void Consumer::act_on(Holder& holder) {
  if (!holder.is_open()) {
    // A name that is stale, or about to be: whatever is asked under it comes to nothing.
    if (choices_->below(4) == 0) command(Command::close, holder, 1);
    return;
  }
  switch (choices_->below(20)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      return receive(holder, true);
    case 5:
    case 6:
      return receive(holder, false);
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
      return holder.can_write() ? write(holder) : void();
    case 12:
    case 13:
      return holder.can_write() ? write_pinned(holder) : void();
    case 14:
      return holder.can_write() ? shut_down(holder) : void();
    case 15:
      return close(holder, choices_->below(3) == 0);
    case 16:
      return release(holder);
    case 17:
      return command(Command::option, holder, static_cast<std::int32_t>(protocol::Option::no_delay),
                     1);
    default:
      core_->settle();
      return note_drained();
  }
}

void Consumer::close_everything() {
  over_ = true;
  for (const auto& holder : holders_) {
    if (holder->is_open()) close(*holder, false);
  }
}

}  // namespace soref::faults
