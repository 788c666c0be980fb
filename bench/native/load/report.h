// The load generator's result: snapshots of all counters taken at the two ends of the measured
// window, and the JSON object that main() prints from them.
#pragma once

#include <time.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "options.h"
#include "shared_state.h"
#include "worker.h"

namespace soref::bench {

// CPU time of a whole process, threads that ended included, in nanoseconds; 0 if it is gone.
inline uint64_t process_cpu_ns(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

// CPU time that all processes of the machine, its kernel and its hypervisor's other guests used,
// over all CPUs, in nanoseconds: what the server and the workers did not use of it was other work.
inline uint64_t machine_cpu_ns() {
  std::FILE* file = std::fopen("/proc/stat", "re");
  if (file == nullptr) return 0;
  uint64_t user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0;
  const int fields = std::fscanf(file,
                                 "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                                 " %" SCNu64 " %" SCNu64 " %" SCNu64,
                                 &user, &nice, &system, &idle, &wait, &irq, &softirq, &steal);
  std::fclose(file);
  if (fields != 8) return 0;
  const auto ticks_per_second = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  return (user + nice + system + irq + softirq + steal) * (1'000'000'000 / ticks_per_second);
}

// All of it is read at one moment, so it does not matter if that moment comes a little late.
struct Snapshot {
  uint64_t time = 0;
  uint64_t completed = 0;
  uint64_t live = 0;
  uint64_t server_cpu = 0;
  uint64_t machine_cpu = 0;
  std::vector<uint64_t> worker_cpu;

  static Snapshot take(const Options& options, const SharedState& shared,
                       const std::vector<pid_t>& workers) {
    Snapshot snapshot;
    if (options.server_pid != 0) snapshot.server_cpu = process_cpu_ns(options.server_pid);
    snapshot.machine_cpu = machine_cpu_ns();
    snapshot.time = now_ns();
    for (size_t i = 0; i < workers.size(); ++i) {
      snapshot.completed += shared.workers[i].completed.load(std::memory_order_relaxed);
      snapshot.live += shared.workers[i].live.load(std::memory_order_relaxed);
      snapshot.worker_cpu.push_back(process_cpu_ns(workers[i]));
    }
    return snapshot;
  }
};

inline void print_failures(const SharedState& shared, size_t workers) {
  std::printf("  \"errors\": {");
  const char* separator = "";
  for (size_t kind = 0; kind < kFailureKinds; ++kind) {
    uint64_t sum = 0;
    for (size_t i = 0; i < workers; ++i) sum += shared.workers[i].failures[kind];
    if (sum == 0) continue;
    std::printf("%s\"%s\": %" PRIu64, separator, failure_name(kind), sum);
    separator = ", ";
  }
  std::printf("}");
}

inline const char* unit_of(Mode mode) {
  if (is_bulk(mode)) return "bytes";
  return mode == Mode::echo ? "messages" : "connections";
}

inline void print_report(const Options& options, const SharedState& shared, const Snapshot& begin,
                         const Snapshot& end) {
  const size_t workers = options.workers;
  Histogram latency;
  uint64_t opened = 0, closed = 0, unfinished = 0, completed = 0;
  for (size_t i = 0; i < workers; ++i) {
    const WorkerState& worker = shared.workers[i];
    latency.merge(worker.latency);
    opened += worker.opened;
    closed += worker.closed;
    unfinished += worker.unfinished;
    completed += worker.completed;
  }
  const double seconds = static_cast<double>(end.time - begin.time) / 1e9;
  const auto units = static_cast<double>(end.completed - begin.completed);
  const auto us = [](uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; };
  std::printf("{\n  \"mode\": \"%s\",\n  \"host\": \"%s\",\n  \"port\": %u,\n",
              options.mode_name.c_str(), options.host.c_str(), options.port);
  std::printf("  \"concurrency\": %u,\n  \"workers\": %zu,\n", options.concurrency, workers);
  std::printf("  \"unit\": \"%s\",\n", unit_of(options.mode));
  std::printf("  \"window\": {\"seconds\": %.6f, \"completed\": %.0f, \"live\": %" PRIu64 "},\n",
              seconds, units, end.live);
  std::printf("  \"per_second\": %.1f,\n", units / seconds);
  std::printf(
      "  \"latency_us\": {\"p50\": %.2f, \"p90\": %.2f, \"p99\": %.2f, \"max\": %.2f, "
      "\"samples\": %" PRIu64 "},\n",
      us(latency.quantile(0.5)), us(latency.quantile(0.9)), us(latency.quantile(0.99)),
      us(latency.max()), latency.count());
  std::printf("  \"total\": {\"opened\": %" PRIu64 ", \"closed\": %" PRIu64
              ", \"completed\": %" PRIu64 ", \"unfinished\": %" PRIu64 "},\n",
              opened, closed, completed, unfinished);
  print_failures(shared, workers);
  std::printf(",\n  \"machine_busy\": %.3f,\n  \"workers_busy\": [",
              static_cast<double>(end.machine_cpu - begin.machine_cpu) / 1e9 / seconds);
  for (size_t i = 0; i < workers; ++i) {
    const auto used = static_cast<double>(end.worker_cpu[i] - begin.worker_cpu[i]) / 1e9;
    std::printf("%s%.3f", i == 0 ? "" : ", ", used / seconds);
  }
  std::printf("]");
  if (options.server_pid != 0) {
    const double cpu = us(end.server_cpu - begin.server_cpu);
    std::printf(",\n  \"server\": {\"cpu_us\": %.1f, \"busy\": %.3f, \"cpu_us_each\": %.6f}", cpu,
                cpu / 1e6 / seconds, units > 0 ? cpu / units : 0.0);
  }
  std::printf("\n}\n");
}

}  // namespace soref::bench
