// An operation starts, finishes, and its completion is taken out of the engine's queue.
#include "engine/completion_queue.h"
#include "seams/seam.h"

namespace soref::bench {
namespace {

class CompletionSeam final : public Seam {
 public:
  CompletionSeam() { channel_.descriptor = STDIN_FILENO; }

  void repeat(std::uint64_t count) override {
    engine::Completion completion;
    for (std::uint64_t i = 0; i < count; ++i) {
      queue_.start(channel_, engine::Kind::receive);
      queue_.finish(channel_, engine::Kind::receive, 0);
      if (!queue_.take(completion)) die("taking a completion");
    }
  }

 private:
  base::Ledger ledger_;
  engine::CompletionQueue queue_{ledger_};
  engine::Channel channel_;
};

}  // namespace

std::unique_ptr<Seam> completion_seam() { return std::make_unique<CompletionSeam>(); }

}  // namespace soref::bench
