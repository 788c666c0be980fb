// The provided-buffer ring: gives the kernel the pool, and takes buffers back into it.
#include "engine/uring_buffers.h"

#if SOREF_HAVE_LIBURING

#include <sys/mman.h>

#include <cerrno>

#include "base/assert.h"

namespace soref::engine {

namespace {
constexpr std::uint16_t kGroup = 0;
}

UringBuffers::~UringBuffers() {
  if (entries_ != nullptr) ::munmap(entries_, bytes_);
}

int UringBuffers::provide(io_uring* ring) noexcept {
  bytes_ = pool_.count * sizeof(io_uring_buf);
  void* memory =
      ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return -errno;
  entries_ = static_cast<io_uring_buf_ring*>(memory);
  io_uring_buf_ring_init(entries_);

  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
  registration.ring_entries = pool_.count;
  registration.bgid = kGroup;
  const int error = io_uring_register_buf_ring(ring, &registration, 0);
  if (error != 0) return error;

  for (std::uint32_t buffer = 0; buffer < pool_.count; ++buffer) {
    add(buffer, static_cast<int>(buffer));
  }
  io_uring_buf_ring_advance(entries_, static_cast<int>(pool_.count));
  available_ = pool_.count;
  return 0;
}

void UringBuffers::prepare_receive(io_uring_sqe& entry, int descriptor,
                                   std::uint32_t limit) noexcept {
  if (limit == 0) {
    io_uring_prep_recv(&entry, descriptor, nullptr, 0, 0);
  } else {
    io_uring_prep_recv_multishot(&entry, descriptor, nullptr, 0, 0);
    // The field's newer name, which liburing 2.3 does not have, is optlen.
    entry.file_index = limit;
  }
  entry.flags |= IOSQE_BUFFER_SELECT;
  entry.buf_group = kGroup;
}

void UringBuffers::taken() noexcept {
  SOREF_ASSERT(available_ > 0, "the kernel fills only buffers that it was given");
  --available_;
}

void UringBuffers::give_back(std::uint32_t buffer) noexcept {
  SOREF_ASSERT(buffer < pool_.count && available_ < pool_.count,
               "a buffer comes back once, to the pool that it came from");
  add(buffer, 0);
  io_uring_buf_ring_advance(entries_, 1);
  ++available_;
}

void UringBuffers::add(std::uint32_t buffer, int position) noexcept {
  io_uring_buf_ring_add(entries_, pool_.base + std::size_t{buffer} * pool_.size, pool_.size,
                        static_cast<std::uint16_t>(buffer), io_uring_buf_ring_mask(pool_.count),
                        position);
}

}  // namespace soref::engine

#endif  // SOREF_HAVE_LIBURING
