// What a close and a reset of a kernel socket do with the bytes that were written before, its own
// and those of others.
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <array>

#include "kernel_fixture.h"

namespace soref {
namespace {

TEST_CASE("what was written behind a send in flight leaves before a close and before a reset") {
  for (const bool reset : {false, true}) {
    on_each_engine([reset](Core& core) {
      const Core::Pair pair = core.connected(Family::tcp4, "127.0.0.1");
      pair.server->send_copy(bytes("first, "), false);
      core.layer.flush();
      pair.server->send_copy(bytes("last"), false);
      pair.server->close(reset);
      CHECK(core.run([&] { return core.count(Event::closed) == 1; }));
      pair.client->receive(true);
      CHECK(core.run([&] { return core.received == "first, last"; }));
    });
  }
}

TEST_CASE("bytes before a close do not wait for an end that a duplicate keeps off") {
  on_each_engine([](Core& core) {
    const Core::Pair pair = core.connected(Family::tcp4, "127.0.0.1");
    const int duplicate = ::dup(pair.server->protocol().resource(pair.server->control_block()));
    pair.server->send_copy(bytes("bytes"), false);
    pair.server->close(false);
    CHECK(core.run([&] { return core.count(Event::closed) == 1; }));
    int unsent = -1;
    CHECK_EQ(::ioctl(duplicate, SIOCOUTQNSD, &unsent), 0);
    CHECK_EQ(unsent, 0);
    ::close(duplicate);
  });
}

TEST_CASE("a close does not overtake what was sent on another socket before") {
  on_each_engine([](Core& core) {
    std::array<int, 2> far{};
    std::array<Socket*, 2> near{};
    for (std::size_t index = 0; index < near.size(); ++index) {
      std::array<int, 2> ends{};
      CHECK_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
      const protocol::Origin origin{protocol::Origin::Kind::external, ends[0]};
      const auto family = static_cast<std::uint32_t>(Family::local);
      CHECK_EQ(core.layer.create(family, origin, near[index]), 0);
      far[index] = ends[1];
    }
    near[0]->send_copy(bytes("!"), false);
    core.layer.flush();
    near[1]->close(false);
    char byte = 0;
    CHECK_EQ(::recv(far[1], &byte, 1, MSG_DONTWAIT), 0);
    CHECK_EQ(::recv(far[0], &byte, 1, MSG_DONTWAIT), 1);
    for (const int descriptor : far) ::close(descriptor);
  });
}

}  // namespace
}  // namespace soref
