// Which errors of accept(2) end an accept operation. The others concern one connection that went
// while it waited (accept(2), "Error handling"), and the next one may be well.
#pragma once

#include <cerrno>

namespace soref::engine {

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

}  // namespace soref::engine
