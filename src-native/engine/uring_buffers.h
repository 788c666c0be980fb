// The receive buffers as a ring that the kernel takes from when data comes (provided buffers).
// Owned by the io_uring engine; the buffers' memory belongs to the environment.
#pragma once

#if SOREF_HAVE_LIBURING

#include <liburing.h>

#include <cstddef>
#include <cstdint>

#include "engine/engine.h"

namespace soref::engine {

class UringBuffers {
 public:
  explicit UringBuffers(BufferPool pool) noexcept : pool_(pool) {}
  ~UringBuffers();
  UringBuffers(const UringBuffers&) = delete;
  UringBuffers& operator=(const UringBuffers&) = delete;

  // Gives all buffers to the kernel: 0 or a negative errno. The ring must go before this object.
  [[nodiscard]] int provide(io_uring* ring) noexcept;

  // A receive into one buffer; or, with a limit, into as many as it takes until it has received
  // that many bytes. A receive without either would go on until the pool is empty, whether or not
  // its reader still wants the bytes.
  static void prepare_receive(io_uring_sqe& entry, int descriptor, std::uint32_t limit) noexcept;

  // Bytes in each buffer.
  [[nodiscard]] std::uint32_t size() const noexcept { return pool_.size; }

  // A completion came in a buffer, which belongs to its taker from then on.
  void taken() noexcept;
  // The taker gives it back to the kernel.
  void give_back(std::uint32_t buffer) noexcept;
  // How many the kernel has.
  [[nodiscard]] std::uint32_t available() const noexcept { return available_; }

 private:
  void add(std::uint32_t buffer, int position) noexcept;

  BufferPool pool_;
  io_uring_buf_ring* entries_ = nullptr;
  std::size_t bytes_ = 0;
  std::uint32_t available_ = 0;
};

}  // namespace soref::engine

#endif  // SOREF_HAVE_LIBURING
