// Socket options of kernel sockets, by number towards the kernel (tcp(7), ip(7), ipv6(7)).
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

#include "host/kernel_protocol.h"

namespace soref::host {

namespace {

struct KernelOption {
  int level = 0;
  int name = 0;
};

// False for options that are no plain integer socket option of this domain.
bool find(protocol::Option option, int domain, KernelOption& out) {
  using protocol::Option;
  switch (option) {
    case Option::no_delay:
      out = {IPPROTO_TCP, TCP_NODELAY};
      return domain != AF_UNIX;
    case Option::keep_alive:
      out = {SOL_SOCKET, SO_KEEPALIVE};
      return domain != AF_UNIX;
    case Option::keep_alive_delay:
      out = {IPPROTO_TCP, TCP_KEEPIDLE};
      return domain != AF_UNIX;
    case Option::keep_alive_interval:
      out = {IPPROTO_TCP, TCP_KEEPINTVL};
      return domain != AF_UNIX;
    case Option::keep_alive_count:
      out = {IPPROTO_TCP, TCP_KEEPCNT};
      return domain != AF_UNIX;
    case Option::type_of_service:
      out = domain == AF_INET6 ? KernelOption{IPPROTO_IPV6, IPV6_TCLASS}
                               : KernelOption{IPPROTO_IP, IP_TOS};
      return domain != AF_UNIX;
    case Option::reset_on_close:
    case Option::path_mode:
      return false;
  }
  return false;
}

}  // namespace

int KernelProtocol::set_option(protocol::ControlBlock& block, protocol::Option option,
                               int value) noexcept {
  ControlBlock& mine = kernel(block);
  const auto set = [&](int level, int name, const auto& what) {
    const int result = ::setsockopt(mine.descriptor.number(), level, name, &what, sizeof what);
    return result == 0 ? 0 : stack_->checked(mine, -errno);
  };
  if (option == protocol::Option::reset_on_close) {
    return set(SOL_SOCKET, SO_LINGER, linger{.l_onoff = value, .l_linger = 0});
  }
  if (option == protocol::Option::path_mode) {
    if (mine.bound_path == nullptr) return -EINVAL;
    return ::chmod(mine.bound_path->c_str(), static_cast<mode_t>(value)) == 0 ? 0 : -errno;
  }
  KernelOption name;
  if (!find(option, codec_->domain(), name)) return -EINVAL;
  return set(name.level, name.name, value);
}

int KernelProtocol::option(protocol::ControlBlock& block, protocol::Option option) noexcept {
  ControlBlock& mine = kernel(block);
  if (option == protocol::Option::path_mode) {
    struct stat status {};
    if (mine.bound_path == nullptr) return -EINVAL;
    if (::stat(mine.bound_path->c_str(), &status) != 0) return -errno;
    return static_cast<int>(status.st_mode & 07777U);
  }
  KernelOption name;
  if (!find(option, codec_->domain(), name)) return -EINVAL;
  int value = 0;
  socklen_t length = sizeof value;
  if (::getsockopt(mine.descriptor.number(), name.level, name.name, &value, &length) != 0) {
    return stack_->checked(mine, -errno);
  }
  return value;
}

}  // namespace soref::host
