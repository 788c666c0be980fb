// A socket's control block is found by the socket's name, which is slot and generation: every other
// name is stale.
#include "seams/seam.h"

namespace soref::bench {
namespace {

class NameSeam final : public Seam {
 public:
  NameSeam() {
    for (int i = 0; i < kSockets; ++i) {
      const socket::SocketName name = environment_.open_socket().name();
      names_.push_back(name);
      names_.push_back({name.slot, name.generation + 1});
    }
  }

  void repeat(std::uint64_t count) override {
    std::uint64_t found = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      socket::Socket* socket = environment_.core().layer().find(names_[i % names_.size()]);
      if (socket == nullptr) continue;
      found += socket->protocol().resource(socket->control_block()) >= 0 ? 1 : 0;
    }
    if (found != count / 2) die("finding half of the names");
  }

 private:
  static constexpr int kSockets = 128;
  Environment environment_;
  std::vector<socket::SocketName> names_;
};

}  // namespace

std::unique_ptr<Seam> name_seam() { return std::make_unique<NameSeam>(); }

}  // namespace soref::bench
