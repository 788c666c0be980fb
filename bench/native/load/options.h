// The load generator's command line: what each option means, its default and its bounds. A run is
// always bounded in connections and in time, and only ever goes to a loopback address.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.h"

namespace soref::bench {

enum class Mode {
  accept_close,
  request_response,
  echo,
  echo_close,
  hold,
  http,
  http_close,
  https,
  https_close,
  bulk_to,
  bulk_from,
  pipe,
};

struct NamedMode {
  std::string_view name;
  Mode mode;
};

inline constexpr std::array kModes{
    NamedMode{"accept-close", Mode::accept_close},
    NamedMode{"request-response", Mode::request_response},
    NamedMode{"echo", Mode::echo},
    NamedMode{"echo-close", Mode::echo_close},
    NamedMode{"hold", Mode::hold},
    NamedMode{"http", Mode::http},
    NamedMode{"http-close", Mode::http_close},
    NamedMode{"https", Mode::https},
    NamedMode{"https-close", Mode::https_close},
    NamedMode{"bulk-to", Mode::bulk_to},
    NamedMode{"bulk-from", Mode::bulk_from},
    NamedMode{"pipe", Mode::pipe},
};

inline bool is_bulk(Mode mode) {
  return mode == Mode::bulk_to || mode == Mode::bulk_from || mode == Mode::pipe;
}

inline bool speaks_tls(Mode mode) { return mode == Mode::https || mode == Mode::https_close; }

struct Options {
  Mode mode = Mode::accept_close;
  std::string mode_name = "accept-close";
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  uint32_t concurrency = 256;  // live connections over all workers
  uint64_t count = 0;          // 0: run for `seconds` instead
  double seconds = 2;
  double warm_up = 0.5;
  double rate = 0;        // connections a second; 0: the next one when one has ended
  double timeout = 30;    // seconds that --count, or the end of a run, may take at most
  uint32_t sources = 8;   // IPv4 source addresses 127.0.1.1 … that connections leave from
  std::vector<int> cpus;  // one worker for each, pinned there; empty: `workers` unpinned ones
  uint32_t workers = 1;
  bool reset = false;    // close with RST instead of FIN, which leaves no TIME_WAIT behind
  pid_t server_pid = 0;  // whose CPU time is measured over the same window
};

inline constexpr const char* kUsage =
    "usage: load --port PORT [options]\n"
    "  --mode accept-close       connect, wait until the server closes, close (default)\n"
    "         request-response   connect, send 64 bytes, read 64 bytes and the end, close\n"
    "         echo               keep connections open, 64 bytes back and forth on each\n"
    "         echo-close         connect, send 64 bytes and the end, read them and the end, close\n"
    "         hold               keep connections open and idle\n"
    "         http, https        keep connections open, one GET after the other on each\n"
    "         http-close, https-close   connect, one GET, read the answer and the end, close\n"
    "         bulk-to, bulk-from, pipe  keep connections open and send as much as possible, read\n"
    "                            as much as possible, or both; what is counted is bytes\n"
    "  --host ADDRESS            a loopback address: 127.0.0.0/8 or ::1 (127.0.0.1)\n"
    "  --concurrency N           connections open at a time, 1 to 60000 (256)\n"
    "  --rate N                  open N connections a second, whether or not others have ended;\n"
    "                            latency counts from when each was due\n"
    "  --seconds S               length of the measured window (2); SIGTERM ends it early\n"
    "  --warm-up S               time before the window, not measured (0.5)\n"
    "  --count N                 this many connections (echo, http: messages) instead of a window\n"
    "  --timeout S               longest time for --count and for closing what is open (30)\n"
    "  --sources N               source addresses to spread over, 1 to 200 (8; IPv4 only)\n"
    "  --cpus A,B,…              one worker process pinned to each of these CPUs\n"
    "  --workers N               that many worker processes, not pinned (1)\n"
    "  --reset                   accept-close: close with RST, which leaves no TIME_WAIT\n"
    "  --server-pid PID          measure this process's CPU time over the same window\n"
    "Prints one JSON object. Ends with 0 if the run took place (also with failed connections,\n"
    "which the object counts by errno), 2 on wrong usage, 3 if it was built without what the mode\n"
    "needs, 1 otherwise.\n";

inline constexpr ArgumentRules kArguments{"load", kUsage};

inline Mode parse_mode(std::string_view name) {
  for (const NamedMode& known : kModes) {
    if (known.name == name) return known.mode;
  }
  kArguments.refuse("--mode: no such mode: " + std::string(name));
}

inline std::vector<int> parse_cpus(std::string_view text) {
  std::vector<int> cpus;
  for (size_t from = 0; from <= text.size();) {
    const size_t comma = std::min(text.find(',', from), text.size());
    cpus.push_back(kArguments.number<int>("--cpus", text.substr(from, comma - from), 0, 1023));
    from = comma + 1;
  }
  if (cpus.size() > 64) kArguments.refuse("--cpus: at most 64");
  return cpus;
}

inline Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--help") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    }
    if (name == "--reset") {
      options.reset = true;
      continue;
    }
    if (i + 1 == argc)
      kArguments.refuse(std::string(name) + ": no such option, or its value is missing");
    const std::string_view value = argv[++i];
    if (name == "--mode") {
      options.mode = parse_mode(value);
      options.mode_name = value;
    } else if (name == "--host") {
      options.host = value;
    } else if (name == "--port") {
      options.port = kArguments.number<uint16_t>(name, value, 1, 65535);
    } else if (name == "--concurrency") {
      options.concurrency = kArguments.number<uint32_t>(name, value, 1, 60000);
    } else if (name == "--count") {
      options.count = kArguments.number<uint64_t>(name, value, 1, 100'000'000);
    } else if (name == "--rate") {
      options.rate = kArguments.number<double>(name, value, 1, 1'000'000);
    } else if (name == "--seconds") {
      options.seconds = kArguments.number<double>(name, value, 0.01, 3600);
    } else if (name == "--warm-up") {
      options.warm_up = kArguments.number<double>(name, value, 0, 3600);
    } else if (name == "--timeout") {
      options.timeout = kArguments.number<double>(name, value, 0.1, 3600);
    } else if (name == "--sources") {
      options.sources = kArguments.number<uint32_t>(name, value, 1, 200);
    } else if (name == "--cpus") {
      options.cpus = parse_cpus(value);
    } else if (name == "--workers") {
      options.workers = kArguments.number<uint32_t>(name, value, 1, 64);
    } else if (name == "--server-pid") {
      options.server_pid = kArguments.number<pid_t>(name, value, 1, 1 << 30);
    } else {
      kArguments.refuse(std::string(name) + ": no such option");
    }
  }
  if (options.port == 0) kArguments.refuse("--port is missing");
  if (!is_loopback(options.host)) kArguments.refuse("--host must be a loopback address");
  if (options.reset && options.mode != Mode::accept_close)
    kArguments.refuse("--reset is for accept-close");
  if ((options.mode == Mode::hold || is_bulk(options.mode)) && options.count != 0)
    kArguments.refuse(options.mode_name + " takes --seconds, no --count");
  if (!options.cpus.empty()) options.workers = static_cast<uint32_t>(options.cpus.size());
  if (options.workers > options.concurrency)
    kArguments.refuse("--concurrency is below the workers");
  return options;
}

}  // namespace soref::bench
