// Life and names of kernel sockets: attach, bind, listen, connect, detach.
#include "host/kernel_protocol.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "base/assert.h"

namespace soref::host {

namespace {

int integer_option(int descriptor, int level, int name, int& value) {
  socklen_t length = sizeof value;
  return ::getsockopt(descriptor, level, name, &value, &length) == 0 ? 0 : -errno;
}

}  // namespace

int KernelProtocol::recognizes(int resource) const noexcept {
  int domain = 0;
  if (const int error = integer_option(resource, SOL_SOCKET, SO_DOMAIN, domain)) return error;
  if (domain != codec_->domain()) return -EAFNOSUPPORT;
  int type = 0;
  if (const int error = integer_option(resource, SOL_SOCKET, SO_TYPE, type)) return error;
  return type == SOCK_STREAM ? 0 : -EINVAL;
}

// --- attach and detach

int KernelProtocol::attach(protocol::Upcalls& socket, protocol::Origin origin,
                           protocol::ControlBlock*& block) noexcept {
  using Kind = protocol::Origin::Kind;
  int number = origin.resource;
  if (origin.kind == Kind::fresh) {
    // Non-blocking until the engine takes over: connect(2) must not wait.
    number = ::socket(codec_->domain(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (number < 0) return -errno;
  } else if (origin.kind == Kind::external) {
    if (const int error = recognizes(number)) return error;
    // With two owners, each would close it.
    if (stack_->owns(number)) return -EEXIST;
  }
  auto* created = new ControlBlock(socket, base::Descriptor(number, stack_->ledger()));
  // The engine accepts in its own mode.
  created->engine_mode = origin.kind == Kind::incoming;
  created->channel.shared = origin.kind == Kind::external;
  stack_->own(*created);
  block = created;
  return 0;
}

void KernelProtocol::detach(protocol::ControlBlock& block) noexcept {
  ControlBlock& mine = kernel(block);
  SOREF_ASSERT_ABOUT(mine.left, "close or abort comes before detach", *mine.socket);
  SOREF_ASSERT_ABOUT(mine.forgotten, "a descriptor is closed, or leaves, before its control block",
                     *mine.socket);
  if (mine.lost()) return stack_->keep(mine);
  delete &mine;
}

// --- names and connections

int KernelProtocol::bind(protocol::ControlBlock& block, const protocol::Name& name,
                         protocol::BindOptions options) noexcept {
  ControlBlock& mine = kernel(block);
  const int descriptor = mine.descriptor.number();
  KernelAddress address;
  if (const int error = codec_->encode(name, address)) return error;
  if (is_tcp()) {
    const int on = 1;
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (options.reuse_port &&
        ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
      return -errno;
    }
    if (codec_->domain() == AF_INET6) {
      const int only = options.ipv6_only ? 1 : 0;
      ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
    }
  }
  if (::bind(descriptor, address.get(), address.length) != 0) {
    const int error = -errno;
    // An address in use is the listen's or connect's trouble in Node, not the bind's.
    if (is_tcp() && error == -EADDRINUSE) {
      mine.bind_error = error;
      return 0;
    }
    // A missing directory is reported as Node reports it.
    return !is_tcp() && error == -ENOENT ? -EACCES : error;
  }
  if (!is_tcp() && name.address[0] != '\0') {
    mine.bound_path = std::make_unique<const std::string>(name.address);
  }
  return 0;
}

int KernelProtocol::listen(protocol::ControlBlock& block, int backlog) noexcept {
  ControlBlock& mine = kernel(block);
  if (mine.bind_error != 0) return mine.bind_error;
  if (::listen(mine.descriptor.number(), backlog) != 0) return -errno;
  mine.listening = true;
  stack_->start_accept(mine);
  return 0;
}

int KernelProtocol::connect(protocol::ControlBlock& block, const protocol::Name& name) noexcept {
  ControlBlock& mine = kernel(block);
  KernelAddress address;
  if (const int error = codec_->encode(name, address)) return error;
  int error = mine.bind_error;
  if (error == 0) {
    // The engine's mode comes after connecting, for which none must wait.
    if (mine.engine_mode && !stack_->engine().wants_nonblocking()) return -EISCONN;
    int nonblocking = 1;
    if (mine.channel.shared) ::ioctl(mine.descriptor.number(), FIONBIO, &nonblocking);
    int result = 0;
    do {
      result = ::connect(mine.descriptor.number(), address.get(), address.length);
    } while (result != 0 && errno == EINTR);
    error = result == 0 ? 0 : -errno;
  }
  if (error == -EINPROGRESS) {
    stack_->start_connect(mine);
    return 0;
  }
  // What Node reports at once and what it reports later differs by protocol.
  const bool reported_later =
      error == 0 || !is_tcp() || error == -ECONNREFUSED || error == -EADDRINUSE;
  if (!reported_later) return error;
  mine.socket->connected(error);
  return 0;
}

int KernelProtocol::local_name(protocol::ControlBlock& block, protocol::Name& name) noexcept {
  ControlBlock& mine = kernel(block);
  if (mine.bind_error != 0) return mine.bind_error;
  KernelAddress address;
  if (::getsockname(mine.descriptor.number(), address.get(), &address.length) != 0) {
    return stack_->checked(mine, -errno);
  }
  return codec_->decode(address, name);
}

int KernelProtocol::peer_name(protocol::ControlBlock& block, protocol::Name& name) noexcept {
  ControlBlock& mine = kernel(block);
  KernelAddress address;
  if (mine.peer.sin6_family != AF_UNSPEC) {
    std::memcpy(&address.storage, &mine.peer, sizeof mine.peer);
    address.length = sizeof mine.peer;
  } else if (::getpeername(mine.descriptor.number(), address.get(), &address.length) != 0) {
    return stack_->checked(mine, -errno);
  }
  return codec_->decode(address, name);
}

// Of a TCP connection that was reset, or has ended in both directions, getpeername(2) knows no more
// than of one that never was. poll(2) does, and unlike recv(2) it takes no error from who reads.
bool KernelProtocol::has_had_peer(protocol::ControlBlock& block) noexcept {
  protocol::Name peer;
  if (peer_name(block, peer) == 0) return true;
  pollfd asked{kernel(block).descriptor.number(), POLLRDHUP, 0};
  return ::poll(&asked, 1, 0) == 1 && (asked.revents & POLLRDHUP) != 0;
}

void KernelProtocol::remember_peer(ControlBlock& block) noexcept {
  if (!is_tcp() || block.peer.sin6_family != AF_UNSPEC) return;
  socklen_t length = sizeof block.peer;
  auto* const peer = reinterpret_cast<sockaddr*>(&block.peer);
  if (::getpeername(block.descriptor.number(), peer, &length) != 0) block.peer = {};
}

}  // namespace soref::host
