// Definitions that the linker prefers to the C library's. Built with hidden visibility, they serve
// the code that is linked into the program, and not the C and sanitizer libraries themselves.
#include "system_calls.h"

#include <fcntl.h>
// The kernel's: the C library's says of poll(2) that it only writes what it is given.
#include <linux/poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace soref::faults {

namespace {

SimulatedKernel* installed = nullptr;
SimulatedEpoll* installed_epoll = nullptr;
#if SOREF_HAVE_LIBURING
SimulatedRing* installed_ring = nullptr;
#endif

// Whether a call on that descriptor is the simulated kernel's.
bool simulated(int descriptor) noexcept {
  return installed != nullptr && installed->owns(descriptor);
}

// From the simulated kernel's convention to the C library's.
int answer(int result) noexcept {
  if (result >= 0) return result;
  errno = -result;
  return -1;
}

std::string text_of(const sockaddr* address, socklen_t length) {
  return {reinterpret_cast<const char*>(address), length};
}

// As getsockname(2): the address is cut to the room there is, and its full length is told.
void fill(const std::string& name, sockaddr* address, socklen_t* length) {
  std::memcpy(address, name.data(), std::min<std::size_t>(*length, name.size()));
  *length = static_cast<socklen_t>(name.size());
}

}  // namespace

SystemCalls::SystemCalls(SimulatedKernel& kernel, SimulatedEpoll& epoll) noexcept {
  installed = &kernel;
  installed_epoll = &epoll;
}
SystemCalls::~SystemCalls() {
  installed = nullptr;
  installed_epoll = nullptr;
#if SOREF_HAVE_LIBURING
  installed_ring = nullptr;
#endif
}

#if SOREF_HAVE_LIBURING
void SystemCalls::use(SimulatedRing& ring) noexcept { installed_ring = &ring; }
SimulatedRing& SystemCalls::ring() noexcept { return *installed_ring; }
#endif

}  // namespace soref::faults

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
using soref::faults::answer;
using soref::faults::Call;
using soref::faults::Endpoint;
using soref::faults::fill;
using soref::faults::installed;
using soref::faults::installed_epoll;
#if SOREF_HAVE_LIBURING
using soref::faults::installed_ring;
#endif
using soref::faults::simulated;
using soref::faults::text_of;

extern "C" {

int socket(int domain, int type, int protocol) noexcept {
  if (installed != nullptr) return answer(installed->socket(domain));
  return static_cast<int>(::syscall(SYS_socket, domain, type, protocol));
}

int bind(int descriptor, const sockaddr* address, socklen_t length) noexcept {
  if (simulated(descriptor)) {
    return answer(installed->bind(descriptor, text_of(address, length)));
  }
  return static_cast<int>(::syscall(SYS_bind, descriptor, address, length));
}

int listen(int descriptor, int backlog) noexcept {
  if (simulated(descriptor)) return answer(installed->listen(descriptor, backlog));
  return static_cast<int>(::syscall(SYS_listen, descriptor, backlog));
}

int connect(int descriptor, const sockaddr* address, socklen_t length) {
  if (simulated(descriptor)) {
    return answer(installed->connect(descriptor, text_of(address, length)));
  }
  return static_cast<int>(::syscall(SYS_connect, descriptor, address, length));
}

int getsockname(int descriptor, sockaddr* address, socklen_t* length) noexcept {
  if (!simulated(descriptor)) {
    return static_cast<int>(::syscall(SYS_getsockname, descriptor, address, length));
  }
  std::string name;
  const int result = installed->local_name(descriptor, name);
  if (result == 0) fill(name, address, length);
  return answer(result);
}

int getpeername(int descriptor, sockaddr* address, socklen_t* length) noexcept {
  if (!simulated(descriptor)) {
    return static_cast<int>(::syscall(SYS_getpeername, descriptor, address, length));
  }
  std::string name;
  const int result = installed->peer_name(descriptor, name);
  if (result == 0) fill(name, address, length);
  return answer(result);
}

int poll(pollfd* descriptors, unsigned long count, int timeout) {
  if (count != 1 || !simulated(descriptors->fd)) {
    return static_cast<int>(::syscall(SYS_poll, descriptors, count, timeout));
  }
  const bool ended = installed->peer_has_ended(descriptors->fd);
  descriptors->revents = ended ? static_cast<short>(descriptors->events & POLLRDHUP) : short{0};
  return descriptors->revents == 0 ? 0 : 1;
}

int getsockopt(int descriptor, int level, int option, void* value, socklen_t* length) noexcept {
  if (!simulated(descriptor)) {
    return static_cast<int>(::syscall(SYS_getsockopt, descriptor, level, option, value, length));
  }
  int number = 0;
  const int result = installed->option(descriptor, level, option, number);
  if (result == 0) std::memcpy(value, &number, sizeof number);
  return answer(result);
}

int setsockopt(int descriptor, int level, int option, const void* value,
               socklen_t length) noexcept {
  if (simulated(descriptor)) {
    return answer(installed->set_option(descriptor, level, option, value));
  }
  return static_cast<int>(::syscall(SYS_setsockopt, descriptor, level, option, value, length));
}

int shutdown(int descriptor, int how) noexcept {
  if (simulated(descriptor)) return answer(installed->shutdown(descriptor));
  return static_cast<int>(::syscall(SYS_shutdown, descriptor, how));
}

ssize_t sendmsg(int descriptor, const msghdr* message, int flags) {
  if (simulated(descriptor)) return answer(installed->send(descriptor, *message));
  return ::syscall(SYS_sendmsg, descriptor, message, flags);
}

int accept4(int descriptor, sockaddr* address, socklen_t* length, int flags) {
  if (!simulated(descriptor)) {
    return static_cast<int>(::syscall(SYS_accept4, descriptor, address, length, flags));
  }
  Endpoint& listener = *installed->find(descriptor);
  const int error = installed->fault(Call::accept_operation, listener);
  return answer(error != 0 ? error : installed->accept(descriptor));
}

ssize_t recvmsg(int descriptor, msghdr* message, int flags) {
  if (!simulated(descriptor)) return ::syscall(SYS_recvmsg, descriptor, message, flags);
  Endpoint& endpoint = *installed->find(descriptor);
  message->msg_flags = 0;
  const int error = installed->fault(Call::receive_operation, endpoint);
  const iovec& piece = *message->msg_iov;
  return answer(error != 0
                    ? error
                    : installed->receive(descriptor,
                                         {static_cast<std::byte*>(piece.iov_base), piece.iov_len}));
}

int eventfd(unsigned count, int flags) noexcept {
  if (installed != nullptr) return installed->open_own();
  return static_cast<int>(::syscall(SYS_eventfd2, count, flags));
}

ssize_t read(int descriptor, void* buffer, std::size_t size) {
#if SOREF_HAVE_LIBURING
  if (installed_ring != nullptr && installed_ring->is_eventfd(descriptor)) {
    installed_ring->read_eventfd();
  }
#endif
  return ::syscall(SYS_read, descriptor, buffer, size);
}

int epoll_create1(int flags) noexcept {
  if (installed != nullptr) return installed->open_own();
  return static_cast<int>(::syscall(SYS_epoll_create1, flags));
}

int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
  if (simulated(epoll)) return answer(installed_epoll->control(operation, descriptor, event));
  return static_cast<int>(::syscall(SYS_epoll_ctl, epoll, operation, descriptor, event));
}

int epoll_wait(int epoll, epoll_event* events, int count, int timeout) {
  if (simulated(epoll)) {
    return answer(installed_epoll->wait({events, static_cast<std::size_t>(count)}, timeout));
  }
  return static_cast<int>(::syscall(SYS_epoll_wait, epoll, events, count, timeout));
}

int ioctl(int descriptor, unsigned long request, ...) noexcept {
  std::va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (simulated(descriptor)) return answer(installed->set_blocking(descriptor));
  return static_cast<int>(::syscall(SYS_ioctl, descriptor, request, argument));
}

int close(int descriptor) {
  if (simulated(descriptor)) return answer(installed->close(descriptor));
  // The core closes nothing but sockets, and each of them once.
  if (installed != nullptr) {
    std::fprintf(stderr, "closed a descriptor that is no simulated socket: %d\n", descriptor);
    std::abort();
  }
  return static_cast<int>(::syscall(SYS_close, descriptor));
}

int unlink(const char* path) noexcept {
  if (installed != nullptr) return answer(installed->unlink(path));
  return static_cast<int>(::syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
