// A command is written into shared memory, read, checked and carried out: reading, which was never
// begun, is to stop.
#include "seams/seam.h"

namespace soref::bench {
namespace {

class CommandSeam final : public Seam {
 public:
  void repeat(std::uint64_t count) override {
    for (std::uint64_t i = 0; i < count; ++i) {
      environment_.write(core::Command::receive, socket_.name(), 0);
      if (i % kTurn == kTurn - 1) environment_.core().drain();
    }
    environment_.core().drain();
  }

 private:
  static constexpr std::uint64_t kTurn = 64;  // commands carried out together
  Environment environment_;
  socket::Socket& socket_ = environment_.open_socket();
};

}  // namespace

std::unique_ptr<Seam> command_seam() { return std::make_unique<CommandSeam>(); }

}  // namespace soref::bench
