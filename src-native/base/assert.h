// Assertions for invariants. They stay on in release builds: an invariant that does not hold stops
// the process with a report, since going on would turn a visible fault into a lost descriptor or a
// callback that runs twice. SOREF_ASSERT_EXPENSIVE is for checks that walk a structure; it is
// compiled only into debug and sanitizer builds, which define SOREF_EXPENSIVE_CHECKS. Any layer may
// use both.
#pragma once

namespace soref::base {

#ifdef SOREF_EXPENSIVE_CHECKS
inline constexpr bool kExpensiveChecks = true;
#else
inline constexpr bool kExpensiveChecks = false;
#endif

// Prints the broken invariant, where it broke and the subject's own description, and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* invariant, const char* file,
                                   int line, const char* subject) noexcept;

}  // namespace soref::base

#define SOREF_ASSERT_ABOUT(condition, invariant, subject) \
  (__builtin_expect(static_cast<bool>(condition), 1)      \
       ? static_cast<void>(0)                             \
       : ::soref::base::assertion_failed(#condition, invariant, __FILE__, __LINE__, subject))

#define SOREF_ASSERT(condition, invariant) SOREF_ASSERT_ABOUT(condition, invariant, "")

#ifdef SOREF_EXPENSIVE_CHECKS
#define SOREF_ASSERT_EXPENSIVE(condition, invariant) SOREF_ASSERT(condition, invariant)
#else
#define SOREF_ASSERT_EXPENSIVE(condition, invariant) static_cast<void>(0)
#endif
