// A descriptor that an engine opens for itself (an epoll instance, an eventfd): closed when its
// owner goes. It belongs to no socket, so unlike base::Descriptor the ledger does not count it.
#pragma once

#include <unistd.h>

namespace soref::engine {

class OwnDescriptor {
 public:
  // A negative number owns nothing.
  explicit OwnDescriptor(int number) noexcept : number_(number) {}
  ~OwnDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  OwnDescriptor(const OwnDescriptor&) = delete;
  OwnDescriptor& operator=(const OwnDescriptor&) = delete;

  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_;
};

}  // namespace soref::engine
