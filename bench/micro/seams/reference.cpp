// A reference to a socket is taken and dropped.
#include "seams/seam.h"

namespace soref::bench {
namespace {

class ReferenceSeam final : public Seam {
 public:
  void repeat(std::uint64_t count) override {
    for (std::uint64_t i = 0; i < count; ++i) {
      socket_.hold(base::Reference::event, base::Cause("counted"));
      socket_.drop(base::Reference::event, base::Cause("counted"));
    }
  }

 private:
  Environment environment_;
  socket::Socket& socket_ = environment_.open_socket();
};

}  // namespace

std::unique_ptr<Seam> reference_seam() { return std::make_unique<ReferenceSeam>(); }

}  // namespace soref::bench
