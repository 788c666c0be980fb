// What the soak's clients did, as the JSON object that main() prints.
#pragma once

#include <array>
#include <atomic>
#include <cinttypes>
#include <cstdint>
#include <cstdio>

#include "failure.h"
#include "soak_clients/manner.h"
#include "soak_clients/tally.h"

namespace soref::bench {

// One member of an object for each count that is not 0.
template <typename Name>
void print_counts(const char* title, size_t size, Name name, auto&& count_of) {
  std::printf("  \"%s\": {", title);
  const char* separator = "";
  for (size_t i = 0; i < size; ++i) {
    const uint64_t count = count_of(i);
    if (count == 0) continue;
    std::printf("%s\"%s\": %" PRIu64, separator, name(i), count);
    separator = ", ";
  }
  std::printf("},\n");
}

// `steady` are the processes that lived to their end, `killed` those that did not.
inline void print_report(const Tally& steady, const Tally& killed, uint64_t killed_processes,
                         double seconds) {
  const auto manner = [](size_t i) { return kManners[i].name; };
  std::printf("{\n");
  print_counts("opened", kManners.size(), manner,
               [&](size_t i) { return steady.opened[i].load(); });
  print_counts("ended", kManners.size(), manner, [&](size_t i) { return steady.ended[i].load(); });
  print_counts("openedByKilled", kManners.size(), manner,
               [&](size_t i) { return killed.opened[i].load(); });
  print_counts("failures", kFailureKinds, failure_name,
               [&](size_t i) { return steady.failures[i].load() + killed.failures[i].load(); });
  std::printf("  \"answered\": %" PRIu64 ",\n", steady.answered.load());
  std::printf("  \"killedProcesses\": %" PRIu64 ",\n", killed_processes);
  std::printf("  \"seconds\": %.3f\n}\n", seconds);
}

}  // namespace soref::bench
