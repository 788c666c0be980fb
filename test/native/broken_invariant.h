// Breaks an invariant in a process of its own, since the report of a broken one ends the process.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>

#include "check.h"

namespace soref {

// What `breaks` has the core report before it stops the process; empty if the process survives, or
// ends otherwise than by the report.
inline std::string report_of(const std::function<void()>& breaks) {
  int ends[2];
  if (::pipe(ends) != 0) return "";
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    breaks();
    // Neither destructors nor sanitizers judge what is left.
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string report;
  char bytes[4096];
  for (ssize_t count = 0; (count = ::read(ends[0], bytes, sizeof bytes)) > 0;) {
    report.append(bytes, static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? report : "";
}

// Whether the report names the invariant and describes what it is about.
inline void check_report(const std::string& report, const std::string& invariant,
                         const std::string& about) {
  CHECK(report.find("soref: invariant broken: " + invariant + "\n  condition: ") == 0);
  CHECK(report.find("\n  at: src-native/") != std::string::npos);
  CHECK(report.find("\n  about: " + about) != std::string::npos);
  if (report.find(invariant) == std::string::npos)
    std::printf("  # reported: %s\n", report.c_str());
}

}  // namespace soref
