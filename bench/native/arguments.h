// What the native programs' command lines have in common: numbers within bounds, loopback addresses
// alone, and how a wrong one is refused. Each program's own options.h says which options it has.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace soref::bench {

// A program's name and its usage text, which every refusal shows. Wrong usage ends with 2.
struct ArgumentRules {
  const char* program;
  const char* usage;

  [[noreturn]] void refuse(std::string_view message) const {
    std::fprintf(stderr, "%s: %.*s\n%s", program, static_cast<int>(message.size()), message.data(),
                 usage);
    std::exit(2);
  }

  template <typename Number>
  Number number(std::string_view option, std::string_view text, Number low, Number high) const {
    Number value{};
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    // Written so that a NaN is refused too.
    if (parsed.ec != std::errc{} || parsed.ptr != end || !(value >= low && value <= high)) {
      refuse(std::string(option) + ": \"" + std::string(text) + "\" is not a number in range");
    }
    return value;
  }
};

// Nothing here may ever load a machine other than this one.
inline bool is_loopback(const std::string& host) {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace soref::bench
