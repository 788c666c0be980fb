// The clients of the soak (test/soak): drives a server on loopback with connections of which one in
// ten misbehaves, and prints what it did as JSON. This process opens none itself: it forks the one
// that does, and kills others in the midst of their connections. soak_clients/manner.h is what the
// clients do.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "clock.h"
#include "descriptor_limit.h"
#include "soak_clients/client.h"
#include "soak_clients/options.h"
#include "soak_clients/plan.h"
#include "soak_clients/report.h"
#include "soak_clients/tally.h"

namespace soref::bench {
namespace {

constexpr uint32_t kVictimSize = 48;  // connections of a process that is killed
constexpr double kTurnSeconds = 0.002;

// Forks a process that runs `body` and dies with this one; -1 if that was not possible.
template <typename Body>
pid_t start_process(Body body) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // the parent was gone before prctl took hold
  body();
  _exit(0);
}

// Starts client processes and kills them, spread over the run.
class Killer {
 public:
  Killer(const Options& options, Tally& tally)
      : options_(options),
        tally_(tally),
        processes_((share_of_killed(options.count) + kVictimSize - 1) / kVictimSize) {}

  // Kills as many as are due when `opened` connections were opened. Returns false if it could not.
  bool advance(uint64_t opened) {
    while (killed_ * options_.count < processes_ * opened) {
      if (!kill_one()) return false;
    }
    return true;
  }

  uint64_t killed() const { return killed_; }

 private:
  bool kill_one() {
    const uint64_t first = options_.first + killed_ * kVictimSize;
    const uint64_t opened_before = tally_.total_opened();
    const pid_t victim = start_process([&] {
      Client client(options_, tally_);
      client.live_until_killed(first, kVictimSize);
    });
    if (victim < 0) return false;
    const uint64_t give_up = now_ns() + seconds_to_ns(5);
    while (tally_.total_opened() - opened_before < kVictimSize && now_ns() < give_up) {
      sleep_seconds(kTurnSeconds / 10);
    }
    // Each dies at another point of its connections' lives.
    sleep_seconds(static_cast<double>(killed_ % 8) * 1e-3);
    kill(victim, SIGKILL);
    waitpid(victim, nullptr, 0);
    ++killed_;
    return true;
  }

  const Options& options_;
  Tally& tally_;
  const uint64_t processes_;
  uint64_t killed_ = 0;
};

// Whether a process that was not waited for yet has ended; it stays a zombie.
bool has_ended(pid_t process) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
         info.si_pid == process;
}

int run(const Options& options) {
  Tally* steady = map_tally();
  Tally* killed = map_tally();
  if (steady == nullptr || killed == nullptr) {
    std::perror("soak_clients: mmap");
    return 1;
  }
  raise_descriptor_limit();
  Killer killer(options, *killed);
  const uint64_t begin = now_ns();
  const pid_t client = start_process([&] {
    const int error = Client(options, *steady).run();
    if (error == 0) return;
    std::fprintf(stderr, "soak_clients: the epoll loop failed: %s\n", strerror(error));
    _exit(1);
  });
  if (client < 0) {
    std::perror("soak_clients: fork");
    return 1;
  }
  bool well = true;
  while (well && !has_ended(client)) {
    well = killer.advance(steady->total_opened());
    sleep_seconds(kTurnSeconds);
  }
  well = well && killer.advance(options.count);
  if (!well) kill(client, SIGKILL);
  int status = 0;
  while (waitpid(client, &status, 0) < 0 && errno == EINTR) {
  }
  if (!well || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return 1;
  const double seconds = static_cast<double>(now_ns() - begin) / 1e9;
  print_report(*steady, *killed, killer.killed(), seconds);
  return 0;
}

}  // namespace
}  // namespace soref::bench

int main(int argc, char** argv) {
  return soref::bench::run(soref::bench::parse_options(argc, argv));
}
