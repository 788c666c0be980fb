// A small write is copied into a send queue, and leaves it.
#include "protocol/send_queue.h"

#include <sys/uio.h>

#include "seams/seam.h"

namespace soref::bench {
namespace {

class SendQueueSeam final : public Seam {
 public:
  void repeat(std::uint64_t count) override {
    std::array<iovec, 4> pieces{};
    for (std::uint64_t i = 0; i < count; ++i) {
      queue_.append_copy(message_);
      queue_.mark();
      if (queue_.front(pieces) != 1) die("one piece");
      if (queue_.consume(message_.size()) != 1) die("one write");
    }
  }

 private:
  std::array<std::byte, 64> message_{};
  protocol::SendQueue queue_;
};

}  // namespace

std::unique_ptr<Seam> send_queue_seam() { return std::make_unique<SendQueueSeam>(); }

}  // namespace soref::bench
