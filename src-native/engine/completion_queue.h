// The completions that nobody has taken yet, and the states of the operations they belong to.
// Owned by an engine. No other code sets an operation's state, so every operation that started has
// exactly one final completion: each transition is asserted here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/ledger.h"
#include "engine/engine.h"

namespace soref::engine {

class CompletionQueue {
 public:
  explicit CompletionQueue(base::Ledger& ledger);
  // Closes the descriptors that were accepted and that nobody took. Every operation must have its
  // final completion, queued or taken.
  ~CompletionQueue();
  CompletionQueue(const CompletionQueue&) = delete;
  CompletionQueue& operator=(const CompletionQueue&) = delete;

  // idle -> in_flight
  void start(Channel& channel, Kind kind) noexcept;
  // in_flight -> cancelling. False if there is nothing to cancel: the operation is idle, is being
  // cancelled, or its final completion is already queued.
  [[nodiscard]] bool cancel_read(Channel& channel) noexcept;
  [[nodiscard]] bool cancel_write(Channel& channel) noexcept;
  // Queues a completion of accept or receive that is not the last.
  void progress(Channel& channel, Kind kind, std::int32_t result, std::uint32_t buffer) noexcept;
  // in_flight or cancelling -> finished: queues the final completion.
  void finish(Channel& channel, Kind kind, std::int32_t result) noexcept;
  // Takes the oldest completion; finished -> idle if it is final.
  [[nodiscard]] bool take(Completion& completion) noexcept;

  [[nodiscard]] bool empty() const noexcept { return head_ == tail_; }

 private:
  void push(const Completion& completion) noexcept;
  void grow();

  base::Ledger* ledger_;
  // A ring whose size is a power of two; head_ and tail_ count on and are masked at use.
  std::vector<Completion> ring_;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
  std::size_t unfinished_ = 0;  // operations started whose final completion is not queued
};

}  // namespace soref::engine
