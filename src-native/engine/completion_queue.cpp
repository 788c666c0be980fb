// The steps of an operation from idle to its final completion: the one place that sets its state.
#include "engine/completion_queue.h"

#include <unistd.h>

#include "base/assert.h"
#include "engine/channel_report.h"

namespace soref::engine {
namespace {

constexpr std::size_t kInitialSize = 1024;

bool reads(Kind kind) noexcept { return kind == Kind::accept || kind == Kind::receive; }

OperationState& state_of(Channel& channel, Kind kind) noexcept {
  return reads(kind) ? channel.read_state : channel.write_state;
}

Kind& kind_of(Channel& channel, Kind kind) noexcept {
  return reads(kind) ? channel.read_kind : channel.write_kind;
}

bool runs(OperationState state) noexcept {
  return state == OperationState::in_flight || state == OperationState::cancelling;
}

bool begin_cancel(OperationState& state) noexcept {
  if (state != OperationState::in_flight) return false;
  state = OperationState::cancelling;
  return true;
}

}  // namespace

CompletionQueue::CompletionQueue(base::Ledger& ledger) : ledger_(&ledger), ring_(kInitialSize) {}

CompletionQueue::~CompletionQueue() {
  SOREF_ASSERT_ABOUT(unfinished_ == 0, "an engine goes only when no operation is in flight",
                     *ledger_);
  Completion completion;
  while (take(completion)) {
    if (completion.kind == Kind::accept && completion.result >= 0) ::close(completion.result);
  }
}

void CompletionQueue::start(Channel& channel, Kind kind) noexcept {
  OperationState& state = state_of(channel, kind);
  SOREF_ASSERT_ABOUT(state == OperationState::idle, "one operation per direction at a time",
                     ChannelReport(channel));
  state = OperationState::in_flight;
  kind_of(channel, kind) = kind;
  ++unfinished_;
  ++ledger_->operations_submitted;
}

bool CompletionQueue::cancel_read(Channel& channel) noexcept {
  return begin_cancel(channel.read_state);
}

bool CompletionQueue::cancel_write(Channel& channel) noexcept {
  return begin_cancel(channel.write_state);
}

void CompletionQueue::progress(Channel& channel, Kind kind, std::int32_t result,
                               std::uint32_t buffer) noexcept {
  SOREF_ASSERT_ABOUT(reads(kind), "only reading operations complete more than once",
                     ChannelReport(channel));
  SOREF_ASSERT_ABOUT(channel.read_kind == kind, "a completion has its operation's kind",
                     ChannelReport(channel));
  SOREF_ASSERT_ABOUT(runs(channel.read_state), "a completion belongs to an operation in flight",
                     ChannelReport(channel));
  push({&channel, kind, false, result, buffer});
}

void CompletionQueue::finish(Channel& channel, Kind kind, std::int32_t result) noexcept {
  OperationState& state = state_of(channel, kind);
  SOREF_ASSERT_ABOUT(kind_of(channel, kind) == kind, "a completion has its operation's kind",
                     ChannelReport(channel));
  SOREF_ASSERT_ABOUT(runs(state), "an operation has one final completion", ChannelReport(channel));
  SOREF_ASSERT_ABOUT(unfinished_ > 0, "no more operations finish than have started",
                     ChannelReport(channel));
  state = OperationState::finished;
  --unfinished_;
  push({&channel, kind, true, result, kNoBuffer});
}

bool CompletionQueue::take(Completion& completion) noexcept {
  if (empty()) return false;
  completion = ring_[head_++ & (ring_.size() - 1)];
  if (completion.final) {
    OperationState& state = state_of(*completion.channel, completion.kind);
    SOREF_ASSERT_ABOUT(state == OperationState::finished, "a final completion is taken once",
                       ChannelReport(*completion.channel));
    state = OperationState::idle;
    ++ledger_->operations_completed;
  }
  return true;
}

void CompletionQueue::push(const Completion& completion) noexcept {
  if (tail_ - head_ == ring_.size()) grow();
  ring_[tail_++ & (ring_.size() - 1)] = completion;
}

void CompletionQueue::grow() {
  std::vector<Completion> larger(ring_.size() * 2);
  const std::size_t count = tail_ - head_;
  for (std::size_t i = 0; i < count; ++i) larger[i] = ring_[(head_ + i) & (ring_.size() - 1)];
  ring_ = std::move(larger);
  head_ = 0;
  tail_ = count;
}

}  // namespace soref::engine
