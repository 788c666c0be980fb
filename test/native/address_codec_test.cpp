// Text to kernel address and back, for each domain.
#include "host/address_codec.h"

#include <cerrno>
#include <string>

#include "check.h"

namespace soref {
namespace {

TEST_CASE("address codecs take what is an address and refuse what is none") {
  const host::Inet4Codec inet4;
  const host::Inet6Codec inet6;
  const host::LocalCodec local;
  host::KernelAddress address;
  protocol::Name name;
  CHECK_EQ(inet4.encode({"192.0.2.1", 80, 0}, address), 0);
  CHECK_EQ(inet4.decode(address, name), 0);
  CHECK_EQ(name.address, std::string("192.0.2.1"));
  CHECK_EQ(name.port, 80);
  CHECK_EQ(inet4.encode({"192.0.2.256", 80, 0}, address), -EINVAL);
  CHECK_EQ(inet4.encode({"::1", 80, 0}, address), -EINVAL);
  CHECK_EQ(inet6.encode({"2001:db8::1", 443, 0}, address), 0);
  CHECK_EQ(inet6.decode(address, name), 0);
  CHECK_EQ(name.address, std::string("2001:db8::1"));
  CHECK_EQ(inet6.encode({"fe80::1%lo", 1, 0}, address), 0);
  CHECK_EQ(inet6.decode(address, name), 0);
  CHECK_EQ(name.address, std::string("fe80::1%lo"));
  CHECK_EQ(inet6.encode({"fe80::1%no-such-interface", 1, 0}, address), -EINVAL);
  CHECK_EQ(local.encode({std::string(107, 'p'), 0, 0}, address), 0);
  CHECK_EQ(local.decode(address, name), 0);
  CHECK_EQ(name.address.size(), 107U);
  CHECK_EQ(local.encode({std::string(108, 'p'), 0, 0}, address), -EINVAL);
  CHECK_EQ(local.encode({"", 0, 0}, address), -EINVAL);
  CHECK_EQ(local.encode({std::string("a\0b", 3), 0, 0}, address), -EINVAL);
  CHECK_EQ(local.encode({std::string("\0abc", 4), 0, 0}, address), 0);
  CHECK_EQ(local.decode(address, name), 0);
  CHECK_EQ(name.address, std::string("\0abc", 4));
}

}  // namespace
}  // namespace soref
