// An event is queued by an upcall, written into shared memory in a batch, and released when it was
// seen.
#include <cerrno>

#include "seams/seam.h"

namespace soref::bench {
namespace {

class EventSeam final : public Seam {
 public:
  void repeat(std::uint64_t count) override {
    std::uint64_t delivered = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      socket_.receive_failed(-ECONNRESET);
      if (i % kTurn == kTurn - 1) delivered += environment_.deliver();
    }
    delivered += environment_.deliver();
    if (delivered != count) die("delivering every event");
  }

 private:
  static constexpr std::uint64_t kTurn = 64;  // events delivered together
  Environment environment_;
  socket::Socket& socket_ = environment_.open_socket();
};

}  // namespace

std::unique_ptr<Seam> event_seam() { return std::make_unique<EventSeam>(); }

}  // namespace soref::bench
