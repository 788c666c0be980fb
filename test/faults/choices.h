// Where every decision of a simulated run comes from: the order of completions, the size of a short
// read, the next step of the script. A run is repeated exactly by repeating its choices, either
// from the same seed or along the same path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace soref::faults {

class Choices {
 public:
  Choices() = default;
  virtual ~Choices() = default;
  Choices(const Choices&) = delete;
  Choices& operator=(const Choices&) = delete;

  // A number from 0 to count - 1; `count` is at least 1.
  virtual std::uint32_t below(std::uint32_t count) = 0;

  // True once in `count` times; never where `count` is 0.
  bool one_in(std::uint32_t count) { return count != 0 && below(count) == 0; }
  std::uint32_t between(std::uint32_t low, std::uint32_t high) {
    return low + below(high - low + 1);
  }
};

// Pseudo-random choices: the same seed makes the same ones, on every machine.
class SeededChoices final : public Choices {
 public:
  explicit SeededChoices(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint32_t below(std::uint32_t count) override {
    // SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    mixed ^= mixed >> 31;
    return static_cast<std::uint32_t>(((mixed >> 32) * count) >> 32);
  }

 private:
  std::uint64_t state_;
};

// A script without surprises: always the last of what there is to choose from, which is where the
// ordinary course of things stands.
class LastChoice final : public Choices {
 public:
  std::uint32_t below(std::uint32_t count) override { return count - 1; }
};

// Every path through a tree of choices, one after the other: the first path takes 0 everywhere, and
// next() moves on to the path that differs from it last. What asks must ask the same along the same
// path.
class EveryChoice final : public Choices {
 public:
  std::uint32_t below(std::uint32_t count) override {
    if (count == 1 || !branching_) return 0;
    if (depth_ == path_.size()) path_.push_back({0, count});
    return path_[depth_++].taken;
  }
  // Whether choices branch from here on; where they do not, the first one is taken.
  void set_branching(bool branching) noexcept { branching_ = branching; }
  // Starts the next path; false when there is none left.
  bool next() {
    while (!path_.empty() && path_.back().taken + 1 == path_.back().count) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().taken;
    depth_ = 0;
    branching_ = false;
    return true;
  }

 private:
  struct Choice {
    std::uint32_t taken;
    std::uint32_t count;
  };
  std::vector<Choice> path_;
  std::size_t depth_ = 0;
  bool branching_ = false;
};

}  // namespace soref::faults
