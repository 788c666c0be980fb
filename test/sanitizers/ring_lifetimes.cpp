// Tells ThreadSanitizer when io_uring's rings come and go. liburing maps and unmaps them unseen, so
// a ring that lies where another thread's ring lay before would pass for the same memory, and its
// use for a race. Linked, by --wrap, into programs under ThreadSanitizer only.
#include <liburing.h>
#include <sanitizer/tsan_interface.h>

namespace {
// What a ring's end does to it happens before what a later ring's begin does.
char ring_memory;
}  // namespace

extern "C" {

int __real_io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* params);
void __real_io_uring_queue_exit(io_uring* ring);

int __wrap_io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* params) {
  const int result = __real_io_uring_queue_init_params(entries, ring, params);
  __tsan_acquire(&ring_memory);
  return result;
}

void __wrap_io_uring_queue_exit(io_uring* ring) {
  // Before it is unmapped, for another thread may get the same place at once.
  __tsan_release(&ring_memory);
  __real_io_uring_queue_exit(ring);
}

}  // extern "C"
