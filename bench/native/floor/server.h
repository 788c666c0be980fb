// What all floor servers share: the command line, the listening socket, the signal that ends them,
// the table of their connections and the report they end with. A floor server is the least that a
// C++ program can do to give the same service; it serves the benchmarks alone and shares nothing
// with soref.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "descriptor_limit.h"
#include "floor/process.h"

namespace soref::bench {

inline constexpr size_t kPiece = 65'536;  // bytes of a bulk write

enum class Mode { accept_close, request_response, echo, hold, bulk_to, bulk_from, pipe };

struct NamedMode {
  std::string_view name;
  Mode mode;
};

struct ServerOptions {
  Mode mode = Mode::accept_close;
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  int backlog = 511;  // what node:net asks for by default
};

// What the server did; `accepted` must equal `closed` at the end.
struct ServerCounts {
  uint64_t accepted = 0;
  uint64_t closed = 0;
  uint64_t failed = 0;  // of those closed: because a call on the connection failed
  uint64_t accept_errors = 0;
  uint64_t bytes = 0;  // that a bulk mode received, sent or passed on
};

// `modes` are those that the program has; the first is its default.
inline ServerOptions parse_server_options(int argc, char** argv, std::span<const NamedMode> modes) {
  const auto usage = [argv, modes] {
    std::fprintf(stderr, "usage: %s [--host ADDRESS] [--port PORT] [--backlog N] [--mode", argv[0]);
    for (const NamedMode& known : modes) std::fprintf(stderr, " %s", known.name.data());
    std::fprintf(stderr,
                 "]\nPrints \"listening PORT\"; SIGTERM, and its parent's end, end it with a JSON\n"
                 "report.\n");
    std::exit(2);
  };
  ServerOptions options;
  options.mode = modes.front().mode;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view value = argv[i + 1];
    const char* end = value.data() + value.size();
    bool valid = true;
    if (name == "--host") {
      options.host = value;
    } else if (name == "--port") {
      const auto parsed = std::from_chars(value.data(), end, options.port);
      valid = parsed.ec == std::errc{} && parsed.ptr == end;
    } else if (name == "--backlog") {
      const auto parsed = std::from_chars(value.data(), end, options.backlog);
      valid = parsed.ec == std::errc{} && parsed.ptr == end && options.backlog > 0;
    } else if (name == "--mode") {
      valid = false;
      for (const NamedMode& known : modes) {
        if (known.name != value) continue;
        options.mode = known.mode;
        valid = true;
      }
    } else {
      valid = false;
    }
    if (!valid) usage();
  }
  if (argc % 2 == 0) usage();
  return options;
}

// Returns a listening non-blocking descriptor and prints its port; ends the process on failure.
inline int listen_and_announce(const ServerOptions& options) {
  sockaddr_storage address{};
  socklen_t size = 0;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
  if (inet_pton(AF_INET, options.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(options.port);
    size = sizeof *v4;
  } else if (inet_pton(AF_INET6, options.host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(options.port);
    size = sizeof *v6;
  } else {
    die("--host", EINVAL);
  }
  const int listener = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) die("socket", errno);
  const int on = 1;
  if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
    die("SO_REUSEADDR", errno);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) < 0) die("bind", errno);
  if (listen(listener, options.backlog) < 0) die("listen", errno);
  size = sizeof address;
  if (getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) < 0) {
    die("getsockname", errno);
  }
  std::printf("listening %u\n", ntohs(address.ss_family == AF_INET ? v4->sin_port : v6->sin6_port));
  std::fflush(stdout);
  return listener;
}

// A descriptor that becomes readable on SIGTERM and SIGINT, so that no signal can slip in between
// a check and a wait. The kernel sends SIGTERM too when the process that started the server has
// gone.
inline int open_termination_signal() {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const int descriptor = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  if (descriptor < 0) die("signalfd", errno);
  return descriptor;
}

// The accepted connections of a server, by descriptor, and what was counted of them. A Connection
// has a member `open`, which is false in a new one. The descriptors are the server's to close.
template <typename Connection>
class ConnectionTable {
 public:
  ServerCounts counts;

  // The next that waits at a non-blocking listener, or -1.
  int accept_from(int listener) {
    const int descriptor = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      ++counts.accepted;
    } else if (errno != EAGAIN) {
      ++counts.accept_errors;
    }
    return descriptor;
  }

  Connection& at(int descriptor) { return connections_[static_cast<size_t>(descriptor)]; }

  void open(int descriptor) {
    const auto index = static_cast<size_t>(descriptor);
    if (index >= connections_.size()) connections_.resize(index * 2 + 64);
    connections_[index] = Connection{.open = true};
  }

  void close(int descriptor, bool failed) {
    at(descriptor) = Connection{};
    ++counts.closed;
    if (failed) ++counts.failed;
  }

  // The end of the server: nothing stays open.
  ServerCounts end(int listener) {
    ::close(listener);
    for (size_t i = 0; i < connections_.size(); ++i) {
      if (!connections_[i].open) continue;
      ::close(static_cast<int>(i));
      ++counts.closed;
    }
    return counts;
  }

 private:
  std::vector<Connection> connections_;
};

// Returns the process's exit code: 0 only if every accepted connection was closed.
inline int print_server_report(const char* engine, const ServerCounts& counts) {
  const CpuTime cpu = cpu_time();
  std::printf("{\"engine\": \"%s\", \"accepted\": %" PRIu64 ", \"closed\": %" PRIu64
              ", \"failed\": %" PRIu64 ", \"acceptErrors\": %" PRIu64 ", \"bytes\": %" PRIu64
              ", \"userCpuUs\": %" PRId64 ", \"systemCpuUs\": %" PRId64 "}\n",
              engine, counts.accepted, counts.closed, counts.failed, counts.accept_errors,
              counts.bytes, cpu.user_us, cpu.system_us);
  return counts.accepted == counts.closed ? 0 : 1;
}

// The whole of a server's main(): a Server is made of the mode, the listener and the descriptor of
// the signal that ends it, and its run() returns what it counted.
template <typename Server>
int run_server(const char* engine, int argc, char** argv, std::span<const NamedMode> modes) {
  const ServerOptions options = parse_server_options(argc, argv, modes);
  raise_descriptor_limit();
  const int termination = open_termination_signal();
  Server server(options.mode, listen_and_announce(options), termination);
  return print_server_report(engine, server.run());
}

inline constexpr auto kMessageModes =
    std::to_array<NamedMode>({{"accept-close", Mode::accept_close},
                              {"request-response", Mode::request_response},
                              {"echo", Mode::echo},
                              {"hold", Mode::hold}});

inline constexpr auto kBulkModes = std::to_array<NamedMode>(
    {{"bulk-to", Mode::bulk_to}, {"bulk-from", Mode::bulk_from}, {"pipe", Mode::pipe}});

}  // namespace soref::bench
