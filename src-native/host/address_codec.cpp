// Text to kernel address and back, by inet_pton(3), if_nametoindex(3) and unix(7).
#include "host/address_codec.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace soref::host {

int Inet4Codec::encode(const protocol::Name& name, KernelAddress& out) const noexcept {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(name.port);
  if (::inet_pton(AF_INET, name.address.c_str(), &address.sin_addr) != 1) return -EINVAL;
  std::memcpy(&out.storage, &address, sizeof address);
  out.length = sizeof address;
  return 0;
}

int Inet4Codec::decode(const KernelAddress& address, protocol::Name& out) const noexcept {
  if (address.storage.ss_family != AF_INET) return -EINVAL;
  sockaddr_in in{};
  std::memcpy(&in, &address.storage, sizeof in);
  char text[INET_ADDRSTRLEN];
  if (::inet_ntop(AF_INET, &in.sin_addr, text, sizeof text) == nullptr) return -errno;
  out.address = text;
  out.port = ntohs(in.sin_port);
  out.family = 4;
  return 0;
}

int Inet6Codec::encode(const protocol::Name& name, KernelAddress& out) const noexcept {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(name.port);
  std::string text = name.address;
  if (const std::size_t percent = text.find('%'); percent != std::string::npos) {
    const std::string zone = text.substr(percent + 1);
    text.resize(percent);
    address.sin6_scope_id = ::if_nametoindex(zone.c_str());
    if (address.sin6_scope_id == 0) {
      char* end = nullptr;
      const unsigned long index = std::strtoul(zone.c_str(), &end, 10);
      if (zone.empty() || *end != '\0' || index > 0xffffffffUL) return -EINVAL;
      address.sin6_scope_id = static_cast<std::uint32_t>(index);
    }
  }
  if (::inet_pton(AF_INET6, text.c_str(), &address.sin6_addr) != 1) return -EINVAL;
  std::memcpy(&out.storage, &address, sizeof address);
  out.length = sizeof address;
  return 0;
}

int Inet6Codec::decode(const KernelAddress& address, protocol::Name& out) const noexcept {
  if (address.storage.ss_family != AF_INET6) return -EINVAL;
  sockaddr_in6 in{};
  std::memcpy(&in, &address.storage, sizeof in);
  char text[INET6_ADDRSTRLEN];
  if (::inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text) == nullptr) return -errno;
  out.address = text;
  if (in.sin6_scope_id != 0 && IN6_IS_ADDR_LINKLOCAL(&in.sin6_addr)) {
    char zone[IF_NAMESIZE];
    if (::if_indextoname(in.sin6_scope_id, zone) != nullptr) {
      out.address += '%';
      out.address += zone;
    }
  }
  out.port = ntohs(in.sin6_port);
  out.family = 6;
  return 0;
}

int LocalCodec::encode(const protocol::Name& name, KernelAddress& out) const noexcept {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& path = name.address;
  if (path.empty()) return -EINVAL;
  const bool is_abstract = path[0] == '\0';
  // A path keeps its final NUL inside the address; an abstract name counts by length alone.
  // The kernel would take what is before the NUL, which is another path.
  if (!is_abstract && path.find('\0') != std::string::npos) return -EINVAL;
  if (path.size() + (is_abstract ? 0 : 1) > sizeof address.sun_path) return -EINVAL;
  std::memcpy(address.sun_path, path.data(), path.size());
  std::memcpy(&out.storage, &address, sizeof address);
  out.length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (is_abstract ? 0 : 1));
  return 0;
}

int LocalCodec::decode(const KernelAddress& address, protocol::Name& out) const noexcept {
  if (address.storage.ss_family != AF_UNIX) return -EINVAL;
  sockaddr_un un{};
  std::memcpy(&un, &address.storage, sizeof un);
  out.family = 0;
  out.port = 0;
  out.address.clear();
  if (address.length <= offsetof(sockaddr_un, sun_path)) return 0;
  const std::size_t length = address.length - offsetof(sockaddr_un, sun_path);
  if (un.sun_path[0] == '\0') {
    out.address.assign(un.sun_path, length);
  } else {
    out.address.assign(un.sun_path, ::strnlen(un.sun_path, length));
  }
  return 0;
}

}  // namespace soref::host
