// How both engines read the errors of sockets.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

namespace soref::engine {

// Whether an error of accept(2) concerns one connection that went while it waited (accept(2),
// "Error handling"): then the next connection may be well. Other errors end an accept operation.
[[nodiscard]] inline bool concerns_one_connection(int error) noexcept {
  switch (error) {
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ETIMEDOUT:
      return true;
    default:
      return false;
  }
}

// Takes the error that waits on a socket (SO_ERROR): 0 or a negative errno.
[[nodiscard]] inline std::int32_t take_socket_error(int descriptor) noexcept {
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return -errno;
  return -error;
}

}  // namespace soref::engine
