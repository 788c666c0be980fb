// Which control block owns which descriptor number. The kernel gives a number only when it is free:
// an owner that still claims it then has lost it, for somebody else has closed it behind the
// socket's back. Owned by HostStack.
#pragma once

#include <cstddef>
#include <vector>

namespace soref::host {

struct ControlBlock;

class DescriptorOwners {
 public:
  [[nodiscard]] ControlBlock* of(int number) const noexcept {
    const auto at = static_cast<std::size_t>(number);
    return at < owners_.size() ? owners_[at] : nullptr;
  }
  void set(int number, ControlBlock* owner) {
    const auto at = static_cast<std::size_t>(number);
    if (at >= owners_.size()) owners_.resize(at + 1);
    owners_[at] = owner;
  }

 private:
  std::vector<ControlBlock*> owners_;  // by number
};

}  // namespace soref::host
