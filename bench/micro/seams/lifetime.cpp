// A socket is created and attached, closed by a command, detached and freed, and its 'closed' event
// is seen: all that the core does for a connection on which nothing happens. The kernel's share, a
// socket(2) and a close(2), is not counted.
#include "seams/seam.h"

namespace soref::bench {
namespace {

class LifetimeSeam final : public Seam {
 public:
  void repeat(std::uint64_t count) override {
    core::Core& core = environment_.core();
    for (std::uint64_t i = 0; i < count; ++i) {
      socket::Socket* socket = nullptr;
      if (core.layer().create(kFamily, {protocol::Origin::Kind::fresh, -1}, socket) != 0) {
        die("attach");
      }
      environment_.write(core::Command::close, socket->name(), 0);
      if (i % kTurn != kTurn - 1) continue;
      core.drain();
      environment_.deliver();
    }
    core.drain();
    environment_.deliver();
    if (core.ledger().live() != 0) die("detaching every socket");
  }

 private:
  static constexpr std::uint64_t kTurn = 64;  // sockets closed together
  static constexpr auto kFamily = static_cast<std::uint32_t>(protocol::Family::tcp4);
  Environment environment_;
};

}  // namespace

std::unique_ptr<Seam> lifetime_seam() { return std::make_unique<LifetimeSeam>(); }

}  // namespace soref::bench
