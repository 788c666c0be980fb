// Address codecs: between the text that users write and the kernel's socket addresses, one codec
// for each kernel domain. Used by host/ only.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include "protocol/protocol.h"

namespace soref::host {

// Room for the address of any domain.
struct KernelAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  [[nodiscard]] sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] const sockaddr* get() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
};

class AddressCodec {
 public:
  AddressCodec() = default;
  virtual ~AddressCodec() = default;
  AddressCodec(const AddressCodec&) = delete;
  AddressCodec& operator=(const AddressCodec&) = delete;

  [[nodiscard]] virtual int domain() const noexcept = 0;
  [[nodiscard]] virtual const char* protocol_name() const noexcept = 0;
  // -EINVAL where the text is no address of this domain or does not fit.
  [[nodiscard]] virtual int encode(const protocol::Name& name,
                                   KernelAddress& out) const noexcept = 0;
  [[nodiscard]] virtual int decode(const KernelAddress& address,
                                   protocol::Name& out) const noexcept = 0;
};

// IPv4, dotted quads (RFC 791).
class Inet4Codec final : public AddressCodec {
 public:
  int domain() const noexcept override { return AF_INET; }
  const char* protocol_name() const noexcept override { return "tcp4"; }
  int encode(const protocol::Name& name, KernelAddress& out) const noexcept override;
  int decode(const KernelAddress& address, protocol::Name& out) const noexcept override;
};

// IPv6 with an optional zone, "fe80::1%eth0" (RFC 4007).
class Inet6Codec final : public AddressCodec {
 public:
  int domain() const noexcept override { return AF_INET6; }
  const char* protocol_name() const noexcept override { return "tcp6"; }
  int encode(const protocol::Name& name, KernelAddress& out) const noexcept override;
  int decode(const KernelAddress& address, protocol::Name& out) const noexcept override;
};

// Paths and, with a leading NUL, abstract names (unix(7)).
class LocalCodec final : public AddressCodec {
 public:
  int domain() const noexcept override { return AF_UNIX; }
  const char* protocol_name() const noexcept override { return "unix"; }
  int encode(const protocol::Name& name, KernelAddress& out) const noexcept override;
  int decode(const KernelAddress& address, protocol::Name& out) const noexcept override;
};

}  // namespace soref::host
