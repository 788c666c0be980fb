// The load generator: drives a TCP server on loopback with connections of one kind and prints what
// it measured as JSON. This file starts the workers, keeps the time and takes the two snapshots;
// load/worker.h is what a worker does.
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <memory>

#include "clock.h"
#include "descriptor_limit.h"
#include "load/bulk_worker.h"
#include "load/message_worker.h"
#include "load/options.h"
#include "load/report.h"
#include "load/shared_state.h"
#include "load/tls_worker.h"

namespace soref::bench {
namespace {

bool pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

// The n-th of `parts` shares of `whole`, which differ by one at most.
uint64_t share_of(uint64_t whole, uint64_t parts, uint64_t n) {
  return whole / parts + (n < whole % parts ? 1 : 0);
}

// The worker that speaks as the mode asks, or null if this program was built without what it needs.
std::unique_ptr<Worker> make_worker(const Options& options, SharedState& shared,
                                    const Share& share) {
  if (is_bulk(options.mode)) return std::make_unique<BulkWorker>(options, shared, share);
  if (!speaks_tls(options.mode)) return std::make_unique<MessageWorker>(options, shared, share);
#if SOREF_HAVE_OPENSSL
  return std::make_unique<TlsWorker>(options, shared, share);
#else
  return nullptr;
#endif
}

[[noreturn]] void run_worker(const Options& options, SharedState& shared, uint32_t index,
                             pid_t parent) {
  std::signal(SIGTERM, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // the parent was gone before prctl took hold
  if (!options.cpus.empty() && !pin_to(options.cpus[index])) {
    std::fprintf(stderr, "load: cannot run on CPU %d\n", options.cpus[index]);
    _exit(1);
  }
  const auto concurrency =
      static_cast<uint32_t>(share_of(options.concurrency, options.workers, index));
  const uint64_t count = share_of(options.count, options.workers, index);
  if (options.count != 0 && count == 0) _exit(0);
  const auto worker = make_worker(options, shared, Share{index, concurrency, count});
  if (worker == nullptr) _exit(1);
  const int error = worker->run();
  if (error != 0) std::fprintf(stderr, "load: the epoll loop failed: %s\n", strerror(error));
  _exit(error == 0 ? 0 : 1);
}

// Waits for every worker, so none is left behind; true if all of them ended well.
bool wait_for(const std::vector<pid_t>& workers) {
  bool all_well = true;
  for (const pid_t worker : workers) {
    int status = 0;
    while (waitpid(worker, &status, 0) < 0 && errno == EINTR) {
    }
    all_well = all_well && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  return all_well;
}

// Workers that have ended stay zombies until wait_for(), so that their CPU clocks can still be
// read.
void wait_until_ended(const std::vector<pid_t>& workers) {
  for (const pid_t worker : workers) {
    siginfo_t info{};
    while (waitid(P_PID, static_cast<id_t>(worker), &info, WEXITED | WNOWAIT) < 0 &&
           errno == EINTR) {
    }
  }
}

volatile std::sig_atomic_t terminated = 0;

// SIGTERM ends a run as its time does: in order, and with a report.
void end_on_termination() {
  struct sigaction action {};
  action.sa_handler = [](int) { terminated = 1; };
  sigaction(SIGTERM, &action, nullptr);
}

int run(const Options& options) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  end_on_termination();
#if !SOREF_HAVE_OPENSSL
  if (speaks_tls(options.mode)) {
    std::fputs("load: built without OpenSSL, so it speaks no TLS\n", stderr);
    return 3;
  }
#endif
  SharedState* shared = map_shared_state();
  if (shared == nullptr) {
    std::perror("load: mmap");
    return 1;
  }
  if (options.server_pid != 0 && process_cpu_ns(options.server_pid) == 0) {
    std::fprintf(stderr, "load: no process %d\n", options.server_pid);
    return 1;
  }
  raise_descriptor_limit();
  const bool windowed = options.count == 0;
  if (!windowed) shared->phase = Phase::measuring;

  std::vector<pid_t> workers;
  Snapshot begin = Snapshot::take(options, *shared, workers);
  for (uint32_t i = 0; i < options.workers; ++i) {
    const pid_t parent = getpid();
    const pid_t worker = fork();
    if (worker == 0) run_worker(options, *shared, i, parent);
    if (worker < 0) {
      std::perror("load: fork");
      shared->phase = Phase::ending;
      wait_for(workers);
      return 1;
    }
    workers.push_back(worker);
    begin.worker_cpu.push_back(0);
  }

  if (windowed) {
    sleep_seconds(options.warm_up, terminated);
    begin = Snapshot::take(options, *shared, workers);
    shared->phase.store(Phase::measuring, std::memory_order_release);
    sleep_seconds(options.seconds, terminated);
  } else {
    wait_until_ended(workers);
  }
  const Snapshot end = Snapshot::take(options, *shared, workers);
  shared->phase.store(Phase::ending, std::memory_order_release);
  if (!wait_for(workers)) return 1;
  print_report(options, *shared, begin, end);
  return 0;
}

}  // namespace
}  // namespace soref::bench

int main(int argc, char** argv) {
  return soref::bench::run(soref::bench::parse_options(argc, argv));
}
