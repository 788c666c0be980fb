// liburing's functions as the io_uring engine calls them, answered by the simulated ring. They are
// those that enter the kernel; liburing's inline functions work on the ring's memory as ever. The
// probe, which is linked with the engine, never runs here.
#if SOREF_HAVE_LIBURING

#include <liburing.h>
#include <unistd.h>

#include <cerrno>

#include "system_calls.h"

using soref::faults::SystemCalls;

extern "C" {

int io_uring_queue_init_params(unsigned /*entries*/, io_uring* ring, io_uring_params* /*flags*/) {
  return SystemCalls::ring().open(*ring);
}

void io_uring_queue_exit(io_uring* ring) { ::close(ring->ring_fd); }

int io_uring_register_eventfd(io_uring* /*ring*/, int descriptor) {
  SystemCalls::ring().register_eventfd(descriptor);
  return 0;
}

int io_uring_register_buf_ring(io_uring* /*ring*/, io_uring_buf_reg* registration,
                               unsigned /*flags*/) {
  SystemCalls::ring().register_buffers(*registration);
  return 0;
}

int io_uring_submit_and_get_events(io_uring* ring) { return SystemCalls::ring().enter(*ring); }

int io_uring_submit_and_wait_timeout(io_uring* ring, io_uring_cqe** /*first*/, unsigned /*count*/,
                                     __kernel_timespec* limit, sigset_t* /*mask*/) {
  const auto milliseconds = limit->tv_sec * 1000 + limit->tv_nsec / 1'000'000;
  return SystemCalls::ring().wait(*ring, static_cast<std::uint64_t>(milliseconds));
}

int io_uring_submit(io_uring* /*ring*/) { return -ENOSYS; }
int io_uring_get_events(io_uring* /*ring*/) { return -ENOSYS; }
int __io_uring_get_cqe(io_uring* /*ring*/, io_uring_cqe** /*first*/, unsigned /*submit*/,
                       unsigned /*count*/, sigset_t* /*mask*/) {
  return -ENOSYS;
}

}  // extern "C"

#endif  // SOREF_HAVE_LIBURING
