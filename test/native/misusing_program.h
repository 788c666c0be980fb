// A program and its peers that misbehave, over real sockets: they close in the middle of things,
// connect and vanish, name sockets that are gone, take descriptors away, end the environment in
// mid-traffic. It drives a whole core as Node does, with choices by seed, and logs the transitions.
// Used by misuse_test.cpp.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "../faults/choices.h"
#include "check.h"
#include "core/core.h"
#include "transition_log.h"

namespace soref {

using core::Command;
using core::Header;
using protocol::Family;
using socket::Event;
using socket::Life;
using socket::Socket;
using socket::SocketName;

inline constexpr std::size_t kPool =
    std::size_t{core::kReceiveBufferSize} * core::kReceiveBufferCount;

// The memory that a program shares with its core; one for the process, since it is large.
struct Memory {
  std::vector<std::int32_t> control = std::vector<std::int32_t>(core::kControlLength);
  std::vector<std::byte> transmit = std::vector<std::byte>(core::kTransmitSize);
  std::unique_ptr<std::byte[]> receive = std::make_unique_for_overwrite<std::byte[]>(kPool);

  core::SharedMemory shared() noexcept {
    std::fill_n(control.begin(), core::kHeaderLength, 0);
    return {.control = control, .transmit = transmit, .receive = {receive.get(), kPool}};
  }
  std::int32_t& header(Header field) noexcept { return control[static_cast<std::size_t>(field)]; }
};

inline Memory& memory() {
  static Memory shared;
  return shared;
}

inline int open_descriptors() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<int>(std::distance(begin(files), end(files)));
}

inline void limit_descriptors(bool limited) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limited ? 3 : std::min<rlim_t>(limit.rlim_max, 4096);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

class MisusingProgram {
 public:
  MisusingProgram(std::unique_ptr<engine::Engine> engine, std::unique_ptr<base::Ledger> ledger,
                  TransitionLog& log, std::uint64_t seed)
      : log_(&log), choices_(seed) {
    base::Ledger& counts = *ledger;
    core_ = std::make_unique<core::Core>(log.wrap(std::move(engine), counts), memory().shared(),
                                         std::move(ledger));
    core_->layer().observe(&log);
  }
  ~MisusingProgram() {
    exit();
    for (const int peer : peers_) ::close(peer);
  }
  MisusingProgram(const MisusingProgram&) = delete;
  MisusingProgram& operator=(const MisusingProgram&) = delete;

  void run(int turns) {
    listen();
    for (int done = 0; done < turns && !exited_; ++done) {
      for (std::uint32_t acts = choices_.below(5); acts > 0; --acts) act();
      turn();
    }
    if (limited_) limit_descriptors(limited_ = false);
    // The ordinary end; else the environment ends as things are.
    if (exited_ || choices_.one_in(2)) return;
    over_ = true;
    for (const Handle& handle : handles_) command(Command::close, handle.name);
    for (int waited = 0; waited < 2000 && !handles_.empty(); ++waited) turn();
    CHECK(handles_.empty());
  }

 private:
  struct Handle {
    SocketName name;
    bool listening = false;
    protocol::Name address;  // of a listener
  };

  // --- the loop

  void turn() {
    if (exited_) return;
    const bool has_work = core_->end_turn();
    log_->rest(core_->layer());
    if (!has_work) {
      pollfd loop{core_->engine().wakeup_descriptor(), POLLIN, 0};
      ::poll(&loop, 1, 1);
    }
    core_->engine().acknowledge_wakeup();
    core_->begin_turn();
    core_->deliver([this] { dispatch(); });
    // What Environment does from a timer.
    if (core_->has_paused_accepts()) core_->retry_accepts();
  }

  void dispatch() {
    std::int32_t& cursor = memory().header(Header::event_cursor);
    while (!exited_ && cursor < memory().header(Header::event_count)) {
      const std::size_t at =
          core::kEventsAt + static_cast<std::size_t>(cursor) * core::kEventLength;
      const std::int32_t* event = &memory().control[at];
      ++cursor;
      receive_event(static_cast<Event>(event[0]), name(event[1], event[2]),
                    name(event[3], event[4]));
      if (choices_.one_in(3)) act();
      // A listener that throws ends the call; the rest of the batch is asked for again.
      if (choices_.one_in(20)) return;
    }
  }

  static SocketName name(std::int32_t slot, std::int32_t generation) {
    return {static_cast<std::uint32_t>(slot), static_cast<std::uint32_t>(generation)};
  }

  static bool same(SocketName one, SocketName other) {
    return one.slot == other.slot && one.generation == other.generation;
  }

  void receive_event(Event event, SocketName name, SocketName child) {
    const auto handle = std::find_if(handles_.begin(), handles_.end(),
                                     [&](const Handle& each) { return same(each.name, name); });
    if (event == Event::closed) {
      // A connection that nobody accepted says farewell too, and nobody knows it.
      for (const SocketName gone : gone_) CHECK(!same(gone, name));
      if (handle != handles_.end()) handles_.erase(handle);
      gone_.push_back(name);
      return;
    }
    CHECK(handle != handles_.end());
    if (event != Event::connection) return;
    for (const Handle& each : handles_) CHECK(each.name.slot != child.slot);
    handles_.push_back({child, false, {}});
    if (over_) return command(Command::close, child);
    if (choices_.one_in(2)) command(Command::receive, child, 1);
  }

  void exit() {
    if (std::exchange(exited_, true)) return;
    if (limited_) limit_descriptors(limited_ = false);
    core_->shut_down();
    const base::Ledger& ledger = core_->ledger();
    CHECK_EQ(ledger.attached, ledger.detached);
    CHECK_EQ(ledger.events_queued, ledger.events_delivered);
    for (const std::uint64_t held : ledger.references) CHECK_EQ(held, 0U);
    CHECK_EQ(ledger.bad_commands, 0U);
    log_->end();
  }

  // --- what the program does

  void act() {
    if (exited_ || over_) return;
    switch (choices_.below(16)) {
      case 0:
      case 1:
      case 2:
        return connect_peer();
      case 3:
        return connect();
      case 4:
        return adopt();
      case 5:
        return limit_descriptors(limited_ = !limited_ && choices_.one_in(4));
      case 6:
        return use_stale_name();
      case 7:
        if (handles_.size() < 6 && choices_.one_in(3)) listen();
        return;
      case 8:
      case 9:
      case 10:
        return disturb_peer();
      default:
        if (choices_.one_in(300)) return exit();
        if (!handles_.empty()) act_on(handles_[choices_.below(size(handles_))]);
    }
  }

  template <typename Container>
  static std::uint32_t size(const Container& container) {
    return static_cast<std::uint32_t>(container.size());
  }

  void act_on(const Handle& handle) {
    // A listener is closed now and then, its connections often.
    if (handle.listening && !choices_.one_in(8)) return;
    switch (choices_.below(8)) {
      case 0:
      case 1:
        return command(Command::receive, handle.name, 1);
      case 2:
        return command(Command::receive, handle.name, 0);
      case 3:
        return write(handle.name);
      case 4:
        return command(Command::shutdown, handle.name);
      case 5:
        return command(Command::close, handle.name, choices_.one_in(3) ? 1 : 0);
      case 6:
        return release(handle);
      default:
        write(handle.name);
        return command(Command::close, handle.name);
    }
  }

  void command(Command what, SocketName name, std::int32_t first = 0, std::int32_t second = 0,
               std::int32_t third = 0) {
    std::int32_t& length = memory().header(Header::commands_length);
    const std::array<std::int32_t, core::kCommandLength> words = {
        static_cast<std::int32_t>(what),
        static_cast<std::int32_t>(name.slot),
        static_cast<std::int32_t>(name.generation),
        first,
        second,
        third};
    std::copy(words.begin(), words.end(), memory().control.begin() + core::kCommandsAt + length);
    length += static_cast<std::int32_t>(core::kCommandLength);
  }

  // Now and then more than the kernel takes at once.
  void write(SocketName name) {
    const std::uint32_t length = choices_.one_in(5) ? 700'000 : choices_.below(200);
    command(Command::send, name, 0, static_cast<std::int32_t>(length), choices_.one_in(2) ? 1 : 0);
  }

  // By a name whose farewell was seen, by one that never was, or to one that was asked to close.
  void use_stale_name() {
    SocketName name{choices_.below(40), 1 + choices_.below(3)};
    if (!gone_.empty() && !choices_.one_in(3)) name = gone_[choices_.below(size(gone_))];
    for (const Handle& handle : handles_) {
      if (same(handle.name, name)) return;
    }
    command(choices_.one_in(2) ? Command::close : Command::receive, name, 1);
  }

  Socket* create(Family family, protocol::Origin origin = {}) {
    Socket* socket = nullptr;
    if (core_->layer().create(static_cast<std::uint32_t>(family), origin, socket) != 0) {
      return nullptr;
    }
    handles_.push_back({socket->name(), false, {}});
    return socket;
  }

  void listen() {
    const bool local = choices_.one_in(3);
    Socket* socket = create(local ? Family::local : Family::tcp4);
    if (socket == nullptr) return;
    Handle& handle = handles_.back();
    protocol::Name wanted{"127.0.0.1", 0, 4};
    if (local) {
      wanted = {std::string(1, '\0') + "soref-misuse-" + std::to_string(::getpid()) + "-" +
                    std::to_string(names_++),
                0, 0};
    }
    core_->settle();
    if (socket->bind(wanted, {}) != 0 || socket->listen(8) != 0) return;
    handle.listening = true;
    CHECK_EQ(socket->protocol().local_name(socket->control_block(), handle.address), 0);
  }

  const Handle* any_listener() {
    for (const Handle& handle : handles_) {
      if (handle.listening && choices_.one_in(2)) return &handle;
    }
    return nullptr;
  }

  // To a listener of its own, or to where nobody listens.
  void connect() {
    const Handle* listener = any_listener();
    protocol::Name name{"127.0.0.1", 1, 4};
    if (listener != nullptr) name = listener->address;
    Socket* socket = create(name.family == 4 ? Family::tcp4 : Family::local);
    if (socket == nullptr) return;
    core_->settle();
    if (socket->connect(name) != 0) command(Command::close, socket->name());
  }

  // One end of a pair of streams, or what is no socket at all.
  void adopt() {
    std::array<int, 2> ends{};
    if (choices_.one_in(3)) {
      const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
      CHECK(create(Family::local, {protocol::Origin::Kind::external, file}) == nullptr);
      if (file >= 0) ::close(file);
    } else if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0) {
      CHECK(create(Family::local, {protocol::Origin::Kind::external, ends[0]}) != nullptr);
      peers_.push_back(ends[1]);
    }
  }

  void release(const Handle& handle) {
    core_->drain();
    Socket* socket = core_->layer().find(handle.name);
    if (socket == nullptr || socket->life() != Life::open) return;
    const auto ignore = [](std::span<const std::byte>) {};
    const int descriptor = core_->release(*socket, ignore, ignore);
    CHECK(descriptor >= 0);
    ::close(descriptor);
  }

  // --- what peers do

  void connect_peer() {
    const Handle* listener = any_listener();
    if (listener == nullptr || listener->address.family != 4) return;
    const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (peer < 0) return;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(listener->address.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    static_cast<void>(::connect(peer, reinterpret_cast<const sockaddr*>(&address), sizeof address));
    peers_.push_back(peer);
  }

  void disturb_peer() {
    if (peers_.empty()) return;
    const std::uint32_t index = choices_.below(size(peers_));
    const int peer = peers_[index];
    const std::string bytes(choices_.one_in(5) ? 150'000 : 100, 'p');
    std::array<char, 4096> taken{};
    const linger reset{1, 0};
    switch (choices_.below(5)) {
      case 0:
        ::send(peer, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        return;
      case 1:
        ::recv(peer, taken.data(), taken.size(), MSG_DONTWAIT);
        return;
      case 2:
        ::shutdown(peer, SHUT_WR);
        return;
      case 3:
        ::setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        break;
      default:
        break;
    }
    ::close(peer);
    peers_.erase(peers_.begin() + index);
  }

  TransitionLog* log_;
  faults::SeededChoices choices_;
  std::unique_ptr<core::Core> core_;
  std::vector<Handle> handles_;  // sockets whose 'closed' was not seen
  std::vector<SocketName> gone_;
  std::vector<int> peers_;
  std::uint32_t names_ = 0;  // local names given so far
  bool limited_ = false;
  bool over_ = false;  // the program only closes what it has
  bool exited_ = false;
};

}  // namespace soref
