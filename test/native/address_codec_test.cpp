// Text to kernel address and back, for each domain.
#include "host/address_codec.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
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
  CHECK_EQ(inet4.encode({"::1", 80, 0}, address), -EAFNOSUPPORT);
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

TEST_CASE("what follows a NUL is no part of an IP address to the system, and so refused") {
  host::KernelAddress address;
  CHECK_EQ(host::Inet4Codec().encode({std::string("192.0.2.1\0x", 11), 80, 0}, address), -EINVAL);
  CHECK_EQ(host::Inet6Codec().encode({std::string("::1\0x", 5), 80, 0}, address), -EINVAL);
  CHECK_EQ(host::Inet6Codec().encode({std::string("fe80::1%lo\0x", 12), 80, 0}, address), -EINVAL);
}

TEST_CASE("a zone is an interface's name or a plain number") {
  const host::Inet6Codec inet6;
  host::KernelAddress address;
  protocol::Name name;
  // Of an interface that is not there.
  CHECK_EQ(inet6.encode({"fe80::1%4294967295", 1, 0}, address), 0);
  CHECK_EQ(inet6.decode(address, name), 0);
  CHECK_EQ(name.address, std::string("fe80::1%4294967295"));
  for (const char* zone : {"", "4294967296", "-1", "+1", " 1", "1x", "18446744073709551617"}) {
    CHECK_EQ(inet6.encode({std::string("fe80::1%") + zone, 1, 0}, address), -EINVAL);
  }
}

TEST_CASE("a path of 108 bytes, which has no room for its NUL, is read as what it is") {
  char folder[] = "/tmp/soref-test-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  std::string path = std::string(folder) + "/";
  path.append(sizeof place.sun_path - path.size(), 'p');
  std::memcpy(place.sun_path, path.data(), path.size());
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
  host::KernelAddress address;
  CHECK_EQ(::getsockname(listener, address.get(), &address.length), 0);
  // One more than the structure has, for the NUL.
  CHECK(address.length > sizeof place);
  protocol::Name name;
  CHECK_EQ(host::LocalCodec().decode(address, name), 0);
  CHECK_EQ(name.address, path);
  ::close(listener);
  ::unlink(path.c_str());
  ::rmdir(folder);
}

TEST_CASE("a length that no kernel gives reads nothing beyond the address") {
  host::KernelAddress address;
  std::memset(&address.storage, 'p', sizeof address.storage);
  address.storage.ss_family = AF_UNIX;
  address.length = 1U << 20;
  protocol::Name name;
  CHECK_EQ(host::LocalCodec().decode(address, name), 0);
  CHECK_EQ(name.address.size(), sizeof address.storage - sizeof address.storage.ss_family);
}

}  // namespace
}  // namespace soref
