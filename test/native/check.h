// The harness of the native tests: test cases that register themselves, checks that print both
// values, and a main that speaks TAP. Each test/native/*_test.cpp includes this header once and
// becomes one executable; run it with a word to run only the tests whose names contain the word.
//
//   TEST_CASE("a released socket is freed") {
//     CHECK_EQ(ledger.live, 0);         // records a failure and goes on
//     REQUIRE(socket != nullptr);       // records a failure and leaves the test case
//   }
//
// Checks may stand in functions that a test case calls; REQUIRE then leaves only that function,
// which has to return void.
#pragma once

#include <chrono>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

namespace check {

struct TestCase {
  const char* name;
  void (*body)();
};

inline std::vector<TestCase>& test_cases() {
  static std::vector<TestCase> all;
  return all;
}

// How many checks of the running test case have failed, and how many were made at all.
inline int failed_checks = 0;
inline int made_checks = 0;

struct Registration {
  Registration(const char* name, void (*body)()) { test_cases().push_back({name, body}); }
};

// A value as a diagnostic prints it; what has no operator<< is shown by its size alone.
template <typename T>
std::string shown(const T& value) {
  std::ostringstream out;
  if constexpr (std::is_same_v<T, bool>) {
    out << (value ? "true" : "false");
  } else if constexpr (std::is_same_v<T, std::nullptr_t>) {
    out << "nullptr";
  } else if constexpr (std::is_enum_v<T>) {
    out << +static_cast<std::underlying_type_t<T>>(value);
  } else if constexpr (std::is_same_v<T, unsigned char> || std::is_same_v<T, signed char>) {
    out << +value;
  } else if constexpr (requires { out << value; }) {
    out << value;
  } else {
    out << "(a value of " << sizeof(T) << " bytes)";
  }
  return out.str();
}

inline bool report(bool ok, const char* file, int line, const char* expression,
                   const std::string& detail = {}) {
  ++made_checks;
  if (!ok) {
    ++failed_checks;
    std::printf("  # %s:%d: %s%s%s\n", file, line, expression, detail.empty() ? "" : ": ",
                detail.c_str());
  }
  return ok;
}

// Integers of different signs compare by value, so that CHECK_EQ(size, 3) means what it says.
template <typename A, typename B>
bool equal(const A& a, const B& b) {
  constexpr bool integers = std::is_integral_v<A> && std::is_integral_v<B> &&
                            !std::is_same_v<A, bool> && !std::is_same_v<B, bool>;
  if constexpr (integers) {
    using Common = std::common_type_t<A, B>;
    if constexpr (std::is_signed_v<A> != std::is_signed_v<B>) {
      if constexpr (std::is_signed_v<A>) {
        if (a < 0) return false;
      } else {
        if (b < 0) return false;
      }
    }
    return static_cast<Common>(a) == static_cast<Common>(b);
  } else {
    return a == b;
  }
}

template <typename A, typename B>
bool report_equal(const A& a, const B& b, const char* file, int line, const char* expression) {
  if (equal(a, b)) return report(true, file, line, expression);
  return report(false, file, line, expression, shown(a) + " is not " + shown(b));
}

// A test case without a single check proves nothing, and counts as failed.
inline bool run(const TestCase& test, int number) {
  failed_checks = 0;
  made_checks = 0;
  const auto start = std::chrono::steady_clock::now();
  test.body();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  if (made_checks == 0) report(false, __FILE__, __LINE__, "the test case made no check");
  const bool ok = failed_checks == 0;
  std::printf("%sok %d - %s # time=%.3fms\n", ok ? "" : "not ", number, test.name, took.count());
  std::fflush(stdout);
  return ok;
}

inline int run_all(const char* filter) {
  int number = 0;
  int failed = 0;
  std::printf("TAP version 14\n");
  for (const TestCase& test : test_cases()) {
    if (filter != nullptr && std::strstr(test.name, filter) == nullptr) continue;
    if (!run(test, ++number)) ++failed;
  }
  // No test case at all is a failure too: an executable that tests nothing must not look healthy.
  std::printf("1..%d\n# %d passed, %d failed\n", number, number - failed, failed);
  return failed == 0 && number > 0 ? 0 : 1;
}

}  // namespace check

#define CHECK_JOIN_AGAIN(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN_AGAIN(a, b)

#define TEST_CASE(name)                                                   \
  static void CHECK_JOIN(test_case_, __LINE__)();                         \
  static const ::check::Registration CHECK_JOIN(registration_, __LINE__){ \
      name, &CHECK_JOIN(test_case_, __LINE__)};                           \
  static void CHECK_JOIN(test_case_, __LINE__)()

#define CHECK(condition) \
  ::check::report(static_cast<bool>(condition), __FILE__, __LINE__, #condition)
#define CHECK_EQ(a, b) ::check::report_equal((a), (b), __FILE__, __LINE__, #a " == " #b)
#define REQUIRE(condition)         \
  do {                             \
    if (!CHECK(condition)) return; \
  } while (false)
#define REQUIRE_EQ(a, b)         \
  do {                           \
    if (!CHECK_EQ(a, b)) return; \
  } while (false)

int main(int argc, char** argv) { return ::check::run_all(argc > 1 ? argv[1] : nullptr); }
