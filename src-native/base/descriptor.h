// A kernel descriptor with one owner: closed exactly once, when its owner goes, or released to
// another owner. Used by whoever opens descriptors: host control blocks and engines.
#pragma once

#include <unistd.h>

#include <utility>

#include "base/ledger.h"

namespace soref::base {

class Descriptor {
 public:
  Descriptor() noexcept = default;
  // Takes ownership of `number`, which must be open; counts it in `ledger` until it leaves.
  Descriptor(int number, Ledger& ledger) noexcept : number_(number), ledger_(&ledger) {
    ++ledger.descriptors;
  }
  Descriptor(Descriptor&& other) noexcept
      : number_(std::exchange(other.number_, -1)), ledger_(other.ledger_) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
      ledger_ = other.ledger_;
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }

  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }

  // Gives the descriptor away: the caller owns it from here.
  [[nodiscard]] int release() noexcept {
    if (number_ >= 0) --ledger_->descriptors;
    return std::exchange(number_, -1);
  }

  // Linux frees the number whatever close(2) returns, so there is nothing to retry or report.
  void reset() noexcept {
    if (number_ >= 0) {
      --ledger_->descriptors;
      ::close(std::exchange(number_, -1));
    }
  }

 private:
  int number_ = -1;
  Ledger* ledger_ = nullptr;
};

}  // namespace soref::base
