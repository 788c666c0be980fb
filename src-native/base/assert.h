// Assertions for invariants. They stay on in release builds: an invariant that does not hold stops
// the process with a report, since going on would turn a visible fault into a lost descriptor or a
// callback that runs twice. SOREF_ASSERT_EXPENSIVE is for checks that walk a structure; it is
// compiled only into debug and sanitizer builds, which define SOREF_EXPENSIVE_CHECKS. Any layer may
// use all of them.
#pragma once

#include <string>

namespace soref::base {

#ifdef SOREF_EXPENSIVE_CHECKS
inline constexpr bool kExpensiveChecks = true;
#else
inline constexpr bool kExpensiveChecks = false;
#endif

// What an invariant is about. It describes itself in the report: its name, states, references.
class Subject {
 public:
  [[nodiscard]] virtual std::string describe() const = 0;

 protected:
  Subject() = default;
  Subject(const Subject&) = default;
  Subject& operator=(const Subject&) = default;
  ~Subject() = default;
};

// Prints the broken invariant, where it broke and what it is about to stderr, and aborts.
[[noreturn, gnu::cold]] void assertion_failed(const char* condition, const char* invariant,
                                              const char* file, int line,
                                              const Subject* subject) noexcept;

}  // namespace soref::base

// Only the programs that count instructions are built without, to tell what the assertions cost.
#ifdef SOREF_WITHOUT_ASSERTIONS
#define SOREF_CHECK(condition, invariant, subject) \
  static_cast<void>(sizeof(static_cast<bool>(condition)))
#else
#define SOREF_CHECK(condition, invariant, subject)   \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::soref::base::assertion_failed(#condition, invariant, __FILE__, __LINE__, subject))
#endif

// An invariant of `subject`, a base::Subject that is only made or asked when the condition is
// false.
#define SOREF_ASSERT_ABOUT(condition, invariant, subject) \
  SOREF_CHECK(condition, invariant, &static_cast<const ::soref::base::Subject&>(subject))

// An invariant of a structure that serves no socket in particular.
#define SOREF_ASSERT(condition, invariant) SOREF_CHECK(condition, invariant, nullptr)

#ifdef SOREF_EXPENSIVE_CHECKS
#define SOREF_ASSERT_EXPENSIVE(condition, invariant, subject) \
  SOREF_ASSERT_ABOUT(condition, invariant, subject)
#else
#define SOREF_ASSERT_EXPENSIVE(condition, invariant, subject) static_cast<void>(0)
#endif
