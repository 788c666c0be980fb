// What both bare clients share: the lines of input that tell them what to do, as bench/client.mjs
// understands them too, and the reports that they print. A bare client is the least that a C++
// program can do to connect, send 64 bytes, read 64 bytes and the end, and close.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "descriptor_limit.h"
#include "floor/process.h"

namespace soref::bench {

struct ClientCounts {
  uint64_t opened = 0;
  uint64_t completed = 0;
  uint64_t failed = 0;
};

// What the input has asked for so far, and how it is answered.
class Orders {
 public:
  Orders() {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    raise_descriptor_limit();
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    std::puts("ready");
    std::fflush(stdout);
  }

  bool running() const { return running_; }
  bool ended() const { return ended_; }  // the input has
  uint32_t concurrency() const { return concurrency_; }
  const sockaddr_in& destination() const { return destination_; }

  // Reads the lines that are there and answers those that can be answered at once.
  void read_lines(const ClientCounts& counts) {
    std::array<char, 256> buffer;
    ssize_t size = 0;
    while ((size = read(STDIN_FILENO, buffer.data(), buffer.size())) > 0) {
      pending_.append(buffer.data(), static_cast<size_t>(size));
    }
    if (size == 0) ended_ = true;
    if (ended_) running_ = false;
    for (size_t end = 0; (end = pending_.find('\n')) != std::string::npos;) {
      obey(pending_.substr(0, end), counts);
      pending_.erase(0, end + 1);
    }
  }

  // To be called whenever no connection is open.
  void on_rest(const ClientCounts& counts) {
    if (!rest_wanted_) return;
    rest_wanted_ = false;
    report(counts);
  }

  // The last line; returns the process's exit code.
  int conclude(const ClientCounts& counts) const {
    report(counts);
    return counts.opened == counts.completed + counts.failed ? 0 : 1;
  }

 private:
  void obey(const std::string& line, const ClientCounts& counts) {
    uint16_t port = 0;
    if (std::sscanf(line.c_str(), "run %" SCNu16 " %" SCNu32, &port, &concurrency_) == 2) {
      destination_.sin_family = AF_INET;
      destination_.sin_port = htons(port);
      destination_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      running_ = true;
    } else if (line == "report") {
      report(counts);
    } else if (line == "rest") {
      running_ = false;
      rest_wanted_ = true;
    } else {
      std::fprintf(stderr, "no order \"%s\"\n", line.c_str());
      std::exit(2);
    }
  }

  static void report(const ClientCounts& counts) {
    const CpuTime cpu = cpu_time();
    std::printf("{\"opened\": %" PRIu64 ", \"completed\": %" PRIu64 ", \"failed\": %" PRIu64
                ", \"userCpuUs\": %" PRId64 ", \"systemCpuUs\": %" PRId64 "}\n",
                counts.opened, counts.completed, counts.failed, cpu.user_us, cpu.system_us);
    std::fflush(stdout);
  }

  bool running_ = false;
  bool ended_ = false;
  bool rest_wanted_ = false;
  uint32_t concurrency_ = 0;
  sockaddr_in destination_{};
  std::string pending_;
};

}  // namespace soref::bench
