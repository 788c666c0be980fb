// Text to kernel address and back, in both directions: nothing is read that is not there, what is
// refused is refused, and what is accepted means the same after a round trip.
#include <netinet/in.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "finding.h"
#include "fuzzer/FuzzedDataProvider.h"
#include "host/address_codec.h"

namespace soref::host {
namespace {

bool same(const KernelAddress& a, const KernelAddress& b) {
  return a.length == b.length && std::memcmp(&a.storage, &b.storage, a.length) == 0;
}

bool same(const protocol::Name& a, const protocol::Name& b) {
  return a.address == b.address && a.port == b.port && a.family == b.family;
}

// A zone of an address that has no use for one is dropped by decode.
bool keeps_all(const KernelAddress& address) {
  if (address.storage.ss_family != AF_INET6) return true;
  sockaddr_in6 in{};
  std::memcpy(&in, &address.storage, sizeof in);
  return in.sin6_scope_id == 0 || IN6_IS_ADDR_LINKLOCAL(&in.sin6_addr);
}

void from_text(const AddressCodec& codec, FuzzedDataProvider& input) {
  protocol::Name name;
  name.port = input.ConsumeIntegral<std::uint16_t>();
  name.address = input.ConsumeRemainingBytesAsString();
  KernelAddress address;
  const int error = codec.encode(name, address);
  const bool is_other_family =
      codec.domain() == AF_INET && name.address.find(':') != std::string::npos;
  if (error != 0) {
    return REQUIRE_ALWAYS(error == (is_other_family ? -EAFNOSUPPORT : -EINVAL));
  }
  REQUIRE_ALWAYS(address.length <= sizeof address.storage);
  REQUIRE_ALWAYS(address.storage.ss_family == codec.domain());

  protocol::Name canonical;
  REQUIRE_ALWAYS(codec.decode(address, canonical) == 0);
  if (codec.domain() == AF_UNIX) REQUIRE_ALWAYS(canonical.address == name.address);
  if (codec.domain() != AF_UNIX) REQUIRE_ALWAYS(canonical.port == name.port);
  KernelAddress again;
  REQUIRE_ALWAYS(codec.encode(canonical, again) == 0);
  if (keeps_all(address)) REQUIRE_ALWAYS(same(address, again));
  protocol::Name twice;
  REQUIRE_ALWAYS(codec.decode(again, twice) == 0);
  REQUIRE_ALWAYS(same(canonical, twice));
}

void from_kernel(const AddressCodec& codec, FuzzedDataProvider& input) {
  // On the heap, where AddressSanitizer sees who reads beyond it.
  const auto address = std::make_unique<KernelAddress>();
  // A kernel gives the true length also where it had to cut the address off (getsockname(2)).
  address->length = input.ConsumeIntegralInRange<socklen_t>(0, 2 * sizeof address->storage);
  if (input.ConsumeBool()) {
    address->storage.ss_family = static_cast<sa_family_t>(codec.domain());
    input.ConsumeData(reinterpret_cast<std::byte*>(&address->storage) + sizeof(sa_family_t),
                      sizeof address->storage - sizeof(sa_family_t));
  } else {
    input.ConsumeData(&address->storage, sizeof address->storage);
  }
  protocol::Name name;
  const int error = codec.decode(*address, name);
  REQUIRE_ALWAYS((error == 0) == (address->storage.ss_family == codec.domain()));
  if (error != 0) return;
  KernelAddress back;
  // Not every address has a text that names it: an unnamed Unix socket, a path without its NUL.
  if (codec.encode(name, back) != 0) return REQUIRE_ALWAYS(codec.domain() == AF_UNIX);
  protocol::Name again;
  REQUIRE_ALWAYS(codec.decode(back, again) == 0);
  REQUIRE_ALWAYS(same(name, again));
}

}  // namespace
}  // namespace soref::host

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace soref::host;
  FuzzedDataProvider input(data, size);
  const std::unique_ptr<AddressCodec> codecs[] = {std::make_unique<Inet4Codec>(),
                                                  std::make_unique<Inet6Codec>(),
                                                  std::make_unique<LocalCodec>()};
  const AddressCodec& codec = *codecs[input.ConsumeIntegralInRange<std::size_t>(0, 2)];
  if (input.ConsumeBool()) {
    from_text(codec, input);
  } else {
    from_kernel(codec, input);
  }
  return 0;
}
