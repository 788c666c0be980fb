// Runs one seam of the core: `seams NAME COUNT`, or `seams --list`. Prints the nanoseconds that
// each operation took. Under valgrind, count_instructions.mjs counts the instructions of
// counted_part() alone; the seam has done its work once before, so that its memory has found its
// size.
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "seams/seam.h"

namespace {

struct Entry {
  const char* name;
  std::unique_ptr<soref::bench::Seam> (*make)();
};

constexpr Entry kSeams[] = {
    {"reference", soref::bench::reference_seam},   {"name", soref::bench::name_seam},
    {"command", soref::bench::command_seam},       {"event", soref::bench::event_seam},
    {"completion", soref::bench::completion_seam}, {"send-queue", soref::bench::send_queue_seam},
    {"lifetime", soref::bench::lifetime_seam},
};

#ifdef __clang__
constexpr const char* kCompiler = "clang++ " __clang_version__;
#else
constexpr const char* kCompiler = "g++ " __VERSION__;
#endif
#ifdef __x86_64__
constexpr const char* kMachine = "x86_64";
#elif defined(__aarch64__)
constexpr const char* kMachine = "aarch64";
#else
constexpr const char* kMachine = "another machine";
#endif

constexpr std::uint64_t kMostRepetitions = 1'000'000'000;

}  // namespace

// The counter finds it by this name.
extern "C" [[gnu::noinline, gnu::visibility("default")]] void counted_part(soref::bench::Seam& seam,
                                                                           std::uint64_t count) {
  seam.repeat(count);
}

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    for (const Entry& entry : kSeams) std::puts(entry.name);
    return 0;
  }
  if (argc == 2 && std::strcmp(argv[1], "--compiler") == 0) {
    std::printf("%s, %s\n", kCompiler, kMachine);
    return 0;
  }
  const std::uint64_t count = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  for (const Entry& entry : kSeams) {
    if (count == 0 || count > kMostRepetitions || std::strcmp(entry.name, argv[1]) != 0) continue;
    const auto seam = entry.make();
    seam->repeat(count);
    const auto begin = std::chrono::steady_clock::now();
    counted_part(*seam, count);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    std::printf("%.2f\n", took.count() / static_cast<double>(count));
    return 0;
  }
  std::fputs("usage: seams NAME COUNT | seams --list | seams --compiler\n", stderr);
  return 2;
}
