// Text to kernel address and back, by inet_pton(3), if_nametoindex(3) and unix(7).
#include "host/address_codec.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace soref::host {

namespace {

// The system's functions would take what is before a NUL for the whole text.
bool contains_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

// A zone is an interface's name or number (RFC 4007, section 11.2).
int zone_index(const std::string& zone, std::uint32_t& index) {
  index = ::if_nametoindex(zone.c_str());
  if (index != 0) return 0;
  const char* const end = zone.data() + zone.size();
  const auto [last, error] = std::from_chars(zone.data(), end, index);
  return error == std::errc() && last == end ? 0 : -EINVAL;
}

std::string zone_name(std::uint32_t index) {
  char name[IF_NAMESIZE];
  return ::if_indextoname(index, name) != nullptr ? name : std::to_string(index);
}

}  // namespace

int Inet4Codec::encode(const protocol::Name& name, KernelAddress& out) const noexcept {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(name.port);
  if (contains_nul(name.address) ||
      ::inet_pton(AF_INET, name.address.c_str(), &address.sin_addr) != 1) {
    // What the kernel says of an IPv6 address on an IPv4 socket, as a bound one may meet it.
    return name.address.find(':') == std::string::npos ? -EINVAL : -EAFNOSUPPORT;
  }
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
  if (contains_nul(name.address)) return -EINVAL;
  std::string text = name.address;
  if (const std::size_t percent = text.find('%'); percent != std::string::npos) {
    if (const int error = zone_index(text.substr(percent + 1), address.sin6_scope_id)) return error;
    text.resize(percent);
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
    out.address += '%';
    out.address += zone_name(in.sin6_scope_id);
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
  if (!is_abstract && contains_nul(path)) return -EINVAL;
  if (path.size() + (is_abstract ? 0 : 1) > sizeof address.sun_path) return -EINVAL;
  std::memcpy(address.sun_path, path.data(), path.size());
  std::memcpy(&out.storage, &address, sizeof address);
  out.length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (is_abstract ? 0 : 1));
  return 0;
}

int LocalCodec::decode(const KernelAddress& address, protocol::Name& out) const noexcept {
  if (address.storage.ss_family != AF_UNIX) return -EINVAL;
  out.family = 0;
  out.port = 0;
  out.address.clear();
  constexpr std::size_t kPathAt = offsetof(sockaddr_un, sun_path);
  const std::size_t size = std::min<std::size_t>(address.length, sizeof address.storage);
  if (size <= kPathAt) return 0;
  // Not through sockaddr_un: a path may fill sun_path, and the kernel then counts a NUL beyond it
  // (unix(7), BUGS).
  const char* const path = reinterpret_cast<const char*>(&address.storage) + kPathAt;
  out.address.assign(path, size - kPathAt);
  if (path[0] != '\0') out.address.resize(::strnlen(path, size - kPathAt));
  return 0;
}

}  // namespace soref::host
