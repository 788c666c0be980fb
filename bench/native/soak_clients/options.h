// The command line of the soak's clients. A run is always bounded in connections and in time, and
// only ever goes to a loopback address.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "arguments.h"

namespace soref::bench {

struct Options {
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  uint16_t narrow_port = 0;  // storms go there: its backlog is small
  uint64_t first = 0;
  uint64_t count = 10'000;
  uint32_t concurrency = 256;
};

inline constexpr const char* kUsage =
    "usage: soak_clients --port PORT --narrow-port PORT [options]\n"
    "  --host ADDRESS     a loopback address: 127.0.0.0/8 or ::1 (127.0.0.1)\n"
    "  --count N          connections to open (10000); one in ten misbehaves\n"
    "  --first N          the first connection's number (0): the number decides what it does\n"
    "  --concurrency N    connections open at a time, 1 to 4000 (256); in the midst of the run "
    "four\n"
    "                     times as many, and storms come on top\n"
    "Prints one JSON object with what was opened and how it ended. Ends with 0 if the run took\n"
    "place (also with failed connections), 2 on wrong usage, 1 otherwise.\n";

inline constexpr ArgumentRules kArguments{"soak_clients", kUsage};

inline Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--help") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    }
    if (i + 1 == argc) kArguments.refuse(std::string(name) + ": no value");
    const std::string_view value = argv[i + 1];
    if (name == "--host") {
      options.host = value;
    } else if (name == "--port") {
      options.port = kArguments.number<uint16_t>(name, value, 1, 65535);
    } else if (name == "--narrow-port") {
      options.narrow_port = kArguments.number<uint16_t>(name, value, 1, 65535);
    } else if (name == "--first") {
      options.first = kArguments.number<uint64_t>(name, value, 0, uint64_t{1} << 40);
    } else if (name == "--count") {
      options.count = kArguments.number<uint64_t>(name, value, 1, 100'000'000);
    } else if (name == "--concurrency") {
      options.concurrency = kArguments.number<uint32_t>(name, value, 1, 4'000);
    } else {
      kArguments.refuse(std::string(name) + ": no such option");
    }
  }
  if (options.port == 0 || options.narrow_port == 0) kArguments.refuse("a port is missing");
  if (!is_loopback(options.host)) kArguments.refuse("--host must be a loopback address");
  return options;
}

}  // namespace soref::bench
