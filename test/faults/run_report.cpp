// Plans as text, and the last words of a process that dies in the middle of a run.
#include "run_report.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

// What a sanitizer finds ends the process with SIGABRT, so that the last words are said then too.
extern "C" {
__attribute__((visibility("default"))) const char* __asan_default_options() {
  return "abort_on_error=1";
}
__attribute__((visibility("default"))) const char* __ubsan_default_options() {
  return "abort_on_error=1";
}
}

namespace soref::faults {

namespace {

// Fixed memory, since it is read when anything may be broken. Empty between runs.
std::array<char, 512> last_words{};

void on_abort(int) {
  const std::size_t length = std::strlen(last_words.data());
  static_cast<void>(::write(STDERR_FILENO, last_words.data(), length) < 0);
}

const char* program() {
  static std::array<char, 256> path{};
  if (path[0] == '\0') {
    static_cast<void>(::readlink("/proc/self/exe", path.data(), path.size() - 1) < 0);
  }
  return path.data();
}

}  // namespace

std::string RunPlan::text() const {
  std::string out = "seed=" + std::to_string(seed);
  if (engine != 0) out += " engine=" + std::to_string(engine);
  if (rate != 0) out += " rate=" + std::to_string(rate);
  if (call != 0) out += " call=" + std::to_string(call) + " error=" + std::to_string(error);
  if (moment != 0) {
    out += " moment=" + std::to_string(moment) + " interruption=" + std::to_string(interruption);
  }
  return out;
}

std::optional<RunPlan> plan_to_replay(const char* test) {
  const char* text = std::getenv("SOREF_REPLAY");
  if (text == nullptr) return std::nullopt;
  const auto field = [text](const char* key) -> std::uint64_t {
    const char* at = std::strstr(text, key);
    return at == nullptr ? 0 : std::strtoull(at + std::strlen(key), nullptr, 10);
  };
  RunPlan plan{.test = test};
  plan.seed = field("seed=");
  plan.engine = static_cast<std::uint32_t>(field("engine="));
  plan.rate = static_cast<std::uint32_t>(field("rate="));
  plan.call = static_cast<std::uint32_t>(field("call="));
  plan.error = static_cast<int>(field("error="));
  plan.moment = static_cast<std::uint32_t>(field("moment="));
  plan.interruption = static_cast<std::uint32_t>(field("interruption="));
  return plan;
}

std::uint64_t seeds_to_run(std::uint64_t usual) {
  const char* text = std::getenv("SOREF_SEEDS");
  return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

std::string RunPlan::replay_command() const {
  return "SOREF_REPLAY='" + text() + "' " + program() + " '" + test + "'";
}

RunReport::RunReport(const RunPlan& plan, bool tracing) : tracing_(tracing) {
  static const bool prepared = [] {
    std::signal(SIGABRT, on_abort);
    return true;
  }();
  static_cast<void>(prepared);
  std::snprintf(last_words.data(), last_words.size(), "  replay: %s\n",
                plan.replay_command().c_str());
}

RunReport::~RunReport() { last_words[0] = '\0'; }

void RunReport::trace(const std::string& line) const {
  if (tracing_) std::printf("  # %s\n", line.c_str());
}

void RunReport::expect(bool condition, const char* expected, const std::string& subject) {
  if (condition) return;
  findings_.push_back(subject + ": " + expected);
  trace("FOUND " + findings_.back());
}

}  // namespace soref::faults
