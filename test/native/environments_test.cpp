// Two environments at once, each on a thread of its own, as Node's main thread and a worker are.
// All that they have in common are connections, and descriptors that one releases and the other
// adopts. ThreadSanitizer looks on in `npm run test:threads`; here it is their ledgers that must
// balance.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include "check.h"
#include "environment_without_node.h"
#include "pinned_bytes.h"

namespace soref::core {
namespace {

using protocol::Family;
using socket::Event;
using socket::SocketName;

constexpr std::uint32_t kExchanges = 60;  // of each environment in each of its lives
constexpr std::uint32_t kLives = 3;
constexpr std::size_t kSmall = 3000;
constexpr std::size_t kLarge = 300'000;

// What one environment leaves for the other: the names of its listeners, and descriptors.
class Mailbox {
 public:
  void publish(std::vector<protocol::Name> listeners) {
    const std::scoped_lock lock(mutex_);
    listeners_ = std::move(listeners);
  }
  [[nodiscard]] std::vector<protocol::Name> listeners() {
    const std::scoped_lock lock(mutex_);
    return listeners_;
  }
  void post(int descriptor) {
    const std::scoped_lock lock(mutex_);
    descriptors_.push_back(descriptor);
  }
  [[nodiscard]] std::optional<int> take() {
    const std::scoped_lock lock(mutex_);
    if (descriptors_.empty()) return std::nullopt;
    const int descriptor = descriptors_.back();
    descriptors_.pop_back();
    return descriptor;
  }
  // An exchange that this environment began has ended, there or here.
  void finish() {
    const std::scoped_lock lock(mutex_);
    ++finished_;
  }
  [[nodiscard]] std::uint32_t finished() {
    const std::scoped_lock lock(mutex_);
    return finished_;
  }

 private:
  std::mutex mutex_;
  std::vector<protocol::Name> listeners_;
  std::vector<int> descriptors_;
  std::uint32_t finished_ = 0;
};

// A program that echoes what is sent to it, and has what it sends echoed by both environments.
class EchoProgram final : public EnvironmentWithoutNode {
 public:
  EchoProgram(const Memory& memory, std::unique_ptr<engine::Engine> engine,
              std::unique_ptr<base::Ledger> ledger, Mailbox& own, Mailbox& other)
      : EnvironmentWithoutNode(memory, std::move(engine), std::move(ledger)),
        own_(&own),
        other_(&other) {}

  // Runs to its end; what went wrong, or nothing.
  std::string run() {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::seconds(60);
    own_->publish({listen(Family::tcp4, "127.0.0.1"), listen(Family::local, std::string(1, '\0'))});
    while (own_->finished() < kExchanges || other_->finished() < kExchanges) {
      if (Clock::now() > deadline) return "an exchange did not end";
      begin_exchanges();
      while (const std::optional<int> descriptor = own_->take()) adopt(*descriptor);
      turn(1);
    }
    // Whatever is still open ends with the environment, as it does with a worker.
    core().shut_down();
    const base::Ledger& ledger = core().ledger();
    if (ledger.attached != ledger.detached) return "a socket is left";
    if (ledger.bad_commands != 0) return "a command was refused";
    return problem_;
  }

 private:
  enum class Role : std::uint8_t { none, listener, echoes, asks };
  struct Entry {
    std::uint32_t generation = 0;
    Role role = Role::none;
    bool adopted = false;
    std::uint32_t exchange = 0;
    std::size_t expected = 0;
    std::size_t received = 0;
  };

  Entry& entry(SocketName name) {
    if (entries_.size() <= name.slot) entries_.resize(name.slot + 1);
    return entries_[name.slot];
  }
  SocketName create(Family family, Role role, protocol::Origin origin = {}) {
    socket::Socket* socket = nullptr;
    const int error = core().layer().create(static_cast<std::uint32_t>(family), origin, socket);
    if (error != 0) {
      problem_ = "no socket: " + std::to_string(error);
      return {};
    }
    const SocketName name = socket->name();
    entry(name) = {.generation = name.generation, .role = role};
    return name;
  }
  socket::Socket* find(SocketName name) { return core().layer().find(name); }

  protocol::Name listen(Family family, const std::string& address) {
    const SocketName name = create(family, Role::listener);
    socket::Socket& socket = *find(name);
    protocol::Name where{.address = address};
    // An abstract name that no other process has.
    if (family == Family::local) where.address += "soref-" + std::to_string(name_of_thread());
    if (socket.bind(where, {}) != 0 || socket.listen(64) != 0) problem_ = "cannot listen";
    static_cast<void>(socket.protocol().local_name(socket.control_block(), where));
    return where;
  }
  static std::uint64_t name_of_thread() {
    return std::hash<std::thread::id>()(std::this_thread::get_id());
  }

  // A few at a time, to the own listeners and to the other's in turn.
  void begin_exchanges() {
    const auto theirs = other_->listeners();
    if (theirs.empty()) return;
    const auto ours = own_->listeners();
    while (begun_ < kExchanges && begun_ < own_->finished() + 8) {
      const protocol::Name& where = (begun_ % 2 == 0 ? theirs : ours)[begun_ / 2 % 2];
      const SocketName name = create(where.family == 4 ? Family::tcp4 : Family::local, Role::asks);
      entry(name).exchange = begun_++;
      core().settle();
      if (find(name)->connect(where) != 0) problem_ = "cannot connect";
    }
  }

  void adopt(int descriptor) {
    const int family = core().layer().protocols().family_of(descriptor);
    const SocketName name = create(static_cast<Family>(family), Role::asks,
                                   {protocol::Origin::Kind::external, descriptor});
    entry(name).adopted = true;
    ask(name);
  }

  void ask(SocketName name) {
    Entry& mine = entry(name);
    mine.expected = mine.exchange % 5 == 4 ? kLarge : kSmall;
    auto pinned = std::make_unique<Pinned>(std::vector<std::byte>(mine.expected), core().ledger());
    const std::span<const std::byte> bytes = pinned->bytes();
    if (mine.expected == kLarge) {
      core().drain();
      find(name)->send_pinned(bytes, std::move(pinned));
      core().send_now(*find(name));
      static_cast<void>(find(name)->notify_when_drained());
    } else {
      send(name, bytes);
    }
    command(Command::receive, name, 1);
  }

  // The echo is complete: the exchange ends in one of the ways that there are.
  void end_exchange(SocketName name) {
    const Entry& mine = entry(name);
    switch (mine.adopted ? 0 : mine.exchange % 4) {
      case 0:
        command(Command::close, name);
        return (mine.adopted ? other_ : own_)->finish();
      case 1:
        return command(Command::shutdown, name);  // and finished when the other side ends too
      case 2:
        command(Command::close, name, 1);
        return own_->finish();
      default:
        core().drain();
        return other_->post(core().release(
            *find(name), [](auto) {}, [](auto) {}));
    }
  }

  void handle(Event event, SocketName name, std::int32_t first, std::int32_t second) override {
    Entry& mine = entry(name);
    if (mine.generation != name.generation) return;
    switch (event) {
      case Event::connection: {
        const SocketName child = name_of(first, second);
        entry(child) = {.generation = child.generation, .role = Role::echoes};
        return command(Command::receive, child, 1);
      }
      case Event::connected:
        if (first != 0) problem_ = "a connect failed: " + std::to_string(first);
        return ask(name);
      case Event::data:
        if (mine.role == Role::echoes) return send(name, received(first, second));
        mine.received += static_cast<std::size_t>(second);
        if (mine.received == mine.expected) end_exchange(name);
        return;
      case Event::end:
        if (mine.role == Role::asks) own_->finish();
        return command(Command::close, name);
      case Event::receive_failed:
      case Event::send_failed:
        return command(Command::close, name);  // the asking side has reset it
      case Event::closed:
        mine = {};
        return;
      default:
        return;
    }
  }

  Mailbox* own_;
  Mailbox* other_;
  std::vector<Entry> entries_;
  std::uint32_t begun_ = 0;
  std::string problem_;
};

bool is_available(engine::Choice choice) {
  base::Ledger ledger;
  std::vector<std::byte> memory(std::size_t{4096} * 16);
  const auto selection = engine::make_engine(choice, {memory.data(), 4096, 16}, ledger);
  if (selection.engine == nullptr) std::printf("  # left out: %s\n", selection.reason.c_str());
  return selection.engine != nullptr;
}

void run_both(engine::Choice first, engine::Choice second) {
  if (!is_available(first) || !is_available(second)) return static_cast<void>(CHECK(true));
  for (std::uint32_t life = 0; life < kLives; ++life) {
    std::array<Mailbox, 2> mailboxes;
    std::array<std::string, 2> problems;
    // Starting, which tries the kernel out, and ending are at the same time too.
    const auto live = [&](std::size_t which, engine::Choice choice) {
      Memory memory;
      const auto program = EnvironmentWithoutNode::start<EchoProgram>(
          choice, memory, mailboxes[which], mailboxes[1 - which]);
      problems[which] = program->run();
    };
    std::thread other(live, 1, second);
    live(0, first);
    other.join();
    CHECK_EQ(problems[0], std::string());
    CHECK_EQ(problems[1], std::string());
  }
}

TEST_CASE("two environments on epoll") { run_both(engine::Choice::epoll, engine::Choice::epoll); }

TEST_CASE("two environments on io_uring") {
  run_both(engine::Choice::io_uring, engine::Choice::io_uring);
}

TEST_CASE("an environment on epoll beside one on io_uring") {
  run_both(engine::Choice::epoll, engine::Choice::io_uring);
}

}  // namespace
}  // namespace soref::core
