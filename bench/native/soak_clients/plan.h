// What the connection of a number does. The same number always gives the same, so that a run can be
// had again; running numbers give every size, every kind of misbehaviour, and every way to take
// part.
#pragma once

#include <cstdint>

#include "soak_clients/manner.h"
#include "soak_clients/pattern.h"

namespace soref::bench {

inline constexpr uint64_t kOneInTrouble = 10;
// Manners that take turns: those of single connections, storms, and killed processes.
inline constexpr uint64_t kTroubles = kStorm - kFirstTrouble + 2;

// The manner of a number; kKilledInRequest stands for all that belong to killed processes.
inline size_t manner_of(uint64_t number) {
  if (number % kOneInTrouble != kOneInTrouble - 1) return kConverse;
  return kFirstTrouble + static_cast<size_t>(number / kOneInTrouble % kTroubles);
}

// How many of the numbers below `count` belong to killed processes.
inline uint64_t share_of_killed(uint64_t count) { return count / kOneInTrouble / kTroubles; }

// Well-spread bits of a number (the finalizer of splitmix64).
inline uint64_t spread(uint64_t number) {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  return number ^ (number >> 31);
}

struct Plan {
  size_t manner = kConverse;
  RequestHeader header;
  uint32_t to_send = 0;      // bytes, the header's included
  uint32_t pause_at = 0;     // so many bytes are sent at first, and the rest a turn later; 0: all
  bool half_closes = false;  // the client's end comes before the answer, not after it
};

inline Plan plan_of(uint64_t number, size_t manner) {
  const Manner& how = kManners[manner];
  const uint64_t bits = spread(number);
  const auto size = [bits](unsigned shift, uint32_t low, uint32_t high) {
    return low + static_cast<uint32_t>((bits >> shift) & 0xffff) * (high - low) / 0xffff;
  };
  Plan plan;
  plan.manner = manner;
  // Some of those who behave well have much to say, too.
  const bool large = how.large || (bits >> 58) == 0;
  plan.header.start = static_cast<uint32_t>(bits % kPatternPeriod);
  plan.header.request = large ? size(0, 8'192, 60'000) : size(0, 0, 1'024);
  plan.header.answer = large ? size(16, 100'000, 260'000) : size(16, 0, 1'024);
  plan.header.orders = how.orders;
  const auto whole = static_cast<uint32_t>(sizeof(RequestHeader)) + plan.header.request;
  if (how.sends == Sends::all) plan.to_send = whole;
  if (how.sends == Sends::half) {
    plan.to_send = static_cast<uint32_t>(sizeof(RequestHeader)) + plan.header.request / 2;
  }
  if (plan.to_send > 0 && (bits >> 56 & 3) == 0) plan.pause_at = size(32, 1, plan.to_send);
  plan.half_closes =
      how.then == Then::half_close || (how.ending == Ending::whole_answer && (bits >> 55 & 1) == 0);
  return plan;
}

}  // namespace soref::bench
