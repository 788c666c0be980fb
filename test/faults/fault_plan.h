// Which of a run's calls into the kernel fail, and how. The simulated kernel and engine ask at each
// point that can fail; a plan counts these points, so that "the k-th one fails" names one of them
// in a run that is repeated.
#pragma once

#include <cerrno>
#include <cstdint>

#include "choices.h"

namespace soref::faults {

// System calls of host/ and engines, and operations as they reach the kernel.
enum class Call : std::uint8_t {
  socket,
  bind,
  listen,
  connect,
  get_name,
  get_option,
  set_option,
  set_blocking,
  shutdown,
  close,
  unlink,
  send,
  watch,
  await,
  accept_operation,
  receive_operation,
  connect_operation,
  send_operation,
};

inline constexpr int kLastError = 133;  // EHWPOISON, the last that Linux has

// Whether the call can end with that error: some errors mean that it goes on, or that it was
// cancelled, and an engine never reports those of its caller's operations.
[[nodiscard]] inline bool is_possible(Call call, int error) noexcept {
  // These say that the descriptor is no open socket, and the kernel would not have it to close.
  if (error == EBADF || error == ENOTSOCK) return false;
  switch (call) {
    case Call::connect:
      return error != EINPROGRESS;
    case Call::watch:
      return error != EPERM;  // as for a file, which cannot be waited for
    case Call::receive_operation:
      if (error == ENOBUFS) return false;
      [[fallthrough]];
    case Call::accept_operation:
    case Call::connect_operation:
    case Call::send_operation:
      return error != EAGAIN && error != EINTR && error != ECANCELED;
    default:
      return true;
  }
}

class FaultPlan {
 public:
  // Nothing fails.
  FaultPlan() noexcept = default;
  // The `number`-th point fails with `error`, if it can fail so; the first point has number 1.
  FaultPlan(std::uint32_t number, int error) noexcept : number_(number), error_(error) {}
  // One in `rate` points fails, with any error.
  FaultPlan(Choices& choices, std::uint32_t rate) noexcept : choices_(&choices), rate_(rate) {}

  // 0, or the negative errno that this point fails with.
  [[nodiscard]] int at(Call call) {
    ++points_;
    int error = 0;
    if (points_ == number_) {
      error = error_;
    } else if (choices_ != nullptr && choices_->one_in(rate_)) {
      error = static_cast<int>(choices_->between(1, kLastError));
    }
    return error != 0 && is_possible(call, error) ? -error : 0;
  }

  [[nodiscard]] std::uint32_t points() const noexcept { return points_; }

 private:
  std::uint32_t number_ = 0;
  int error_ = 0;
  Choices* choices_ = nullptr;
  std::uint32_t rate_ = 0;
  std::uint32_t points_ = 0;
};

}  // namespace soref::faults
