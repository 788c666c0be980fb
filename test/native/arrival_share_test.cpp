// How many new connections one turn hands over: few beside sockets that have something to tell, as
// many as there are beside none; and in the end all of them.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string>

#include "check.h"
#include "environment_without_node.h"

namespace soref::core {
namespace {

using protocol::Family;
using socket::Event;
using socket::SocketName;

constexpr std::size_t kStorm = 100;
// Less than the storm, and more than a turn may have beside others.
constexpr std::size_t kFew = 20;

// A listener before which many have connected, and a connection whose peer sends when told to.
class Stormed final : public EnvironmentWithoutNode {
 public:
  Stormed(const Memory& memory, std::unique_ptr<engine::Engine> engine,
          std::unique_ptr<base::Ledger> ledger)
      : EnvironmentWithoutNode(memory, std::move(engine), std::move(ledger)) {
    std::array<int, 2> pair{};
    CHECK_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    peer_ = pair[1];
    socket::Socket* established = nullptr;
    const auto family = static_cast<std::uint32_t>(Family::local);
    const protocol::Origin origin{protocol::Origin::Kind::external, pair[0]};
    CHECK_EQ(core().layer().create(family, origin, established), 0);
    command(Command::receive, established->name(), 1);
    CHECK_EQ(core().layer().create(family, {}, listener_), 0);
    const std::string name = std::string(1, '\0') + "soref-storm-" + std::to_string(::getpid());
    CHECK_EQ(listener_->bind({.address = name}, {}), 0);
    CHECK_EQ(listener_->listen(static_cast<int>(kStorm)), 0);
    turn(0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), address.sun_path);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    for (int& client : clients_) {
      client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      CHECK_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&address), size), 0);
    }
  }
  ~Stormed() override {
    core().shut_down();
    for (const int client : clients_) ::close(client);
    ::close(peer_);
    CHECK_EQ(core().ledger().attached, core().ledger().detached);
  }

  // Turns until all have arrived, with something from the peer in each turn or nothing at all.
  void turn_through(bool peer_sends) {
    for (int turns = 0; turns < 1000 && arrived < kStorm; ++turns) {
      if (peer_sends) CHECK_EQ(::send(peer_, "x", 1, 0), 1);
      const std::size_t before = arrived;
      told_ = false;
      turn(5);
      std::size_t& most = told_ ? most_beside_data : most_alone;
      most = std::max(most, arrived - before);
    }
    CHECK_EQ(arrived, kStorm);
  }
  void close_listener() { command(Command::close, listener_->name()); }
  [[nodiscard]] bool has_events() { return core().has_events(); }

  std::size_t arrived = 0;
  std::size_t most_beside_data = 0;  // arrivals in one turn
  std::size_t most_alone = 0;

 private:
  void handle(Event event, SocketName, std::int32_t first, std::int32_t second) override {
    told_ = told_ || event == Event::data;
    if (event != Event::connection) return;
    ++arrived;
    command(Command::close, name_of(first, second));
  }

  int peer_ = -1;
  socket::Socket* listener_ = nullptr;
  std::array<int, kStorm> clients_{};
  bool told_ = false;
};

void on_each_engine(const std::function<void(Stormed&)>& body) {
  for (const engine::Choice choice : {engine::Choice::epoll, engine::Choice::io_uring}) {
    Memory memory;
    const auto stormed = EnvironmentWithoutNode::start<Stormed>(choice, memory);
    if (stormed != nullptr) body(*stormed);
  }
}

TEST_CASE("a storm of connections does not keep those that have something to tell waiting") {
  on_each_engine([](Stormed& stormed) {
    stormed.turn_through(true);
    CHECK(stormed.most_beside_data > 0);
    CHECK(stormed.most_beside_data <= kFew);
  });
}

TEST_CASE("connections that come alone come all at once") {
  on_each_engine([](Stormed& stormed) {
    stormed.turn_through(false);
    CHECK(stormed.most_alone > kFew);
    CHECK_EQ(stormed.most_beside_data, 0U);
  });
}

TEST_CASE("a listener that is closed during a storm hands over no more") {
  on_each_engine([](Stormed& stormed) {
    stormed.close_listener();
    for (int turns = 0; turns < 20; ++turns) stormed.turn(1);
    CHECK_EQ(stormed.arrived, 0U);
    CHECK(!stormed.has_events());
  });
}

}  // namespace
}  // namespace soref::core
