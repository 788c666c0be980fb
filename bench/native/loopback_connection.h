// Opens connections to a server on this machine. They leave from several source addresses, so that
// TIME_WAIT never uses up the ports of one.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

namespace soref::bench {

class LoopbackDestination {
 public:
  // `sources` addresses 127.0.1.1 … are used in turn, beginning with the `first`; 1 leaves the
  // choice to the kernel, and so does IPv6, which has one loopback address.
  LoopbackDestination(const std::string& host, uint16_t port, uint32_t sources, uint32_t first)
      : sources_(sources), next_source_(first) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address_);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address_);
    if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
      v4->sin_family = AF_INET;
      v4->sin_port = htons(port);
      size_ = sizeof(sockaddr_in);
    } else {
      inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr);
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(port);
      size_ = sizeof(sockaddr_in6);
    }
  }

  // A non-blocking socket for this destination, which the caller closes, or a negative errno.
  int open() {
    const int descriptor =
        socket(address_.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    const int error = bind_source(descriptor);
    if (error == 0) return descriptor;
    close(descriptor);
    return -error;
  }

  // Begins to connect it; 0, or the errno if that has failed already.
  int connect(int descriptor) const {
    const auto* address = reinterpret_cast<const sockaddr*>(&address_);
    return ::connect(descriptor, address, size_) == 0 || errno == EINPROGRESS ? 0 : errno;
  }

 private:
  // The kernel picks the port at connect, when it knows the destination (IP_BIND_ADDRESS_NO_PORT):
  // a port is then taken for this destination only.
  int bind_source(int descriptor) {
    if (sources_ < 2 || address_.ss_family != AF_INET) return 0;
    const int on = 1;
    if (setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) < 0) {
      return errno;
    }
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(0x7f000101U + next_source_++ % sources_);
    const auto* address = reinterpret_cast<const sockaddr*>(&source);
    return bind(descriptor, address, sizeof source) < 0 ? errno : 0;
  }

  sockaddr_storage address_{};
  socklen_t size_ = 0;
  uint32_t sources_;
  uint32_t next_source_;
};

// The error that waits on a socket, which asking takes away; 0 if there is none.
inline int socket_error(int descriptor) {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

// Makes close() break the connection with RST instead of ending it.
inline void reset_on_close(int descriptor) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace soref::bench
