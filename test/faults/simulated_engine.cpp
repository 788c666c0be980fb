// Starts, completes and cancels operations as its choices will.
#include "simulated_engine.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/assert.h"
#include "engine/pending_send.h"
#include "engine/socket_error.h"

namespace soref::faults {

namespace {

using engine::Channel;
using engine::Kind;

Call call_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::accept:
      return Call::accept_operation;
    case Kind::receive:
      return Call::receive_operation;
    case Kind::connect:
      return Call::connect_operation;
    case Kind::send:
      break;
  }
  return Call::send_operation;
}

}  // namespace

SimulatedEngine::SimulatedEngine(SimulatedKernel& kernel, Choices& choices, Behaviour behaviour,
                                 engine::BufferPool pool, base::Ledger& ledger)
    : Engine(ledger),
      kernel_(&kernel),
      choices_(&choices),
      behaviour_(behaviour),
      pool_(pool),
      queue_(ledger) {
  for (std::uint32_t buffer = pool.count; buffer > 0; --buffer) free_.push_back(buffer - 1);
}

SimulatedEngine::~SimulatedEngine() {
  SOREF_ASSERT(flights_.empty(), "an engine goes only when no operation is in flight");
}

Endpoint& SimulatedEngine::endpoint_of(const Channel& channel) const noexcept {
  Endpoint* endpoint = kernel_->find(channel.descriptor);
  SOREF_ASSERT(endpoint != nullptr, "an operation is on an open descriptor");
  return *endpoint;
}

// --- starting

void SimulatedEngine::start(Channel& channel, Kind kind) {
  // As on io_uring: where there is no free entry, those before it are handed over first, and for
  // that completions may have to be taken.
  while (waiting() >= behaviour_.submission_entries) {
    enter();
    collect();
  }
  flights_.push_back({.channel = &channel, .kind = kind});
}

void SimulatedEngine::accept(Channel& channel) noexcept {
  queue_.start(channel, Kind::accept);
  ++endpoint_of(channel).operations;
  start(channel, Kind::accept);
}

void SimulatedEngine::receive(Channel& channel) noexcept {
  queue_.start(channel, Kind::receive);
  ++endpoint_of(channel).operations;
  start(channel, Kind::receive);
}

void SimulatedEngine::connect(Channel& channel) noexcept {
  SOREF_ASSERT(channel.engine_flags == 0, "connect is a channel's first operation");
  queue_.start(channel, Kind::connect);
  ++endpoint_of(channel).operations;
  start(channel, Kind::connect);
}

void SimulatedEngine::send(Channel& channel, std::span<const iovec> pieces) noexcept {
  queue_.start(channel, Kind::send);
  ++endpoint_of(channel).operations;
  // One that is awaited, or that has an error to report, is never put off.
  if (!channel.awaited && channel.deferred_send_error == 0 &&
      choices_->one_in(behaviour_.defers_sends)) {
    channel.pending_send = new engine::PendingSend(pieces, 0);
    start(channel, Kind::send);
    return;
  }
  const engine::FirstSend first = engine::send_at_once(channel, pieces);
  if (first.ended) {
    finish({.channel = &channel, .kind = Kind::send}, first.result);
  } else {
    start(channel, Kind::send);
  }
}

void SimulatedEngine::cancel_read(Channel& channel) noexcept {
  if (queue_.cancel_read(channel)) cancel(channel, channel.read_kind);
}

void SimulatedEngine::cancel_write(Channel& channel) noexcept {
  if (queue_.cancel_write(channel)) cancel(channel, channel.write_kind);
}

void SimulatedEngine::cancel(Channel& channel, Kind kind) {
  const auto flight = std::find_if(flights_.begin(), flights_.end(), [&](const Flight& other) {
    return other.channel == &channel && other.kind == kind;
  });
  SOREF_ASSERT(flight != flights_.end(), "an operation in flight is in flight");
  if (flight->in_kernel && !choices_->one_in(behaviour_.cancels_at_once)) {
    flight->cancelled = true;
    flight->due = kernel_->now() + choices_->below(behaviour_.latency + 1);
    return;
  }
  const bool sends = kind == Kind::send;
  finish(*flight, sends
                      ? engine::failed_send_result(channel, channel.pending_send->sent, -ECANCELED)
                      : -ECANCELED);
  flights_.erase(flight);
}

bool SimulatedEngine::forget(Channel& channel) noexcept {
  SOREF_ASSERT(channel.idle(), "a channel is forgotten when it has nothing in flight");
  channel.engine_flags = 0;
  channel.deferred_send_error = 0;
  return true;
}

// --- running

std::size_t SimulatedEngine::waiting() const noexcept {
  const auto waits = [](const Flight& flight) { return !flight.in_kernel; };
  return static_cast<std::size_t>(std::count_if(flights_.begin(), flights_.end(), waits));
}

void SimulatedEngine::enter() {
  for (Flight& flight : flights_) {
    if (flight.in_kernel) continue;
    if (choices_->one_in(behaviour_.takes_part)) return;
    flight.in_kernel = true;
    flight.error = kernel_->faults().at(call_of(flight.kind));
    flight.due = kernel_->now() + choices_->below(behaviour_.latency + 1);
    flight.channel->engine_flags = 1;
  }
}

bool SimulatedEngine::is_ready(const Flight& flight) const {
  if (!flight.in_kernel || flight.due > kernel_->now()) return false;
  if (flight.cancelled || flight.error != 0) return true;
  const Endpoint& endpoint = endpoint_of(*flight.channel);
  switch (flight.kind) {
    case Kind::accept:
      return kernel_->can_read(endpoint);
    case Kind::receive:
      return !free_.empty() && kernel_->can_read(endpoint);
    case Kind::connect:
      return kernel_->can_finish_connect(endpoint);
    case Kind::send:
      break;
  }
  return kernel_->can_write(endpoint);
}

void SimulatedEngine::collect() {
  for (std::size_t room = behaviour_.completion_entries; room > 0; --room) {
    std::vector<std::size_t> ready;
    for (std::size_t index = 0; index < flights_.size(); ++index) {
      if (is_ready(flights_[index])) ready.push_back(index);
    }
    if (ready.empty() || choices_->one_in(behaviour_.holds_back)) return;
    run(ready[choices_->below(static_cast<std::uint32_t>(ready.size()))]);
  }
}

// One step of an operation that can make one. It leaves the list when it has finished, and takes it
// up again where the kernel has let go of an operation that is to go on.
void SimulatedEngine::run(std::size_t index) {
  Flight& flight = flights_[index];
  if (flight.error != 0) endpoint_of(*flight.channel).disturbed = true;
  switch (flight.kind) {
    case Kind::accept:
      run_accept(flight);
      break;
    case Kind::receive:
      run_receive(flight);
      break;
    case Kind::connect:
      run_connect(flight);
      break;
    case Kind::send:
      run_send(flight);
      break;
  }
  if (flight.channel == nullptr) {
    flights_.erase(flights_.begin() + static_cast<std::ptrdiff_t>(index));
  }
}

void SimulatedEngine::run_accept(Flight& flight) {
  int result = flight.error;
  // A cancellation that loses its race finds one more connection.
  const bool possible = kernel_->can_read(endpoint_of(*flight.channel));
  if (flight.cancelled && (!possible || choices_->below(2) == 0)) {
    result = -ECANCELED;
  } else if (result == 0) {
    result = kernel_->accept(flight.channel->descriptor);
  }
  if (result >= 0) queue_.progress(*flight.channel, Kind::accept, result, engine::kNoBuffer);
  if (flight.cancelled) result = -ECANCELED;
  const bool goes_on = result >= 0 || result == -EAGAIN || engine::concerns_one_connection(-result);
  if (!goes_on) {
    finish(flight, result);
    flight.channel = nullptr;
  } else if (flight.error != 0 || choices_->one_in(behaviour_.ends_early)) {
    flight.in_kernel = false;
  }
}

void SimulatedEngine::run_receive(Flight& flight) {
  int result = -ECANCELED;
  // One that loses may find bytes, the end or an error; with nothing there it does not lose.
  const bool possible = !free_.empty() && kernel_->can_read(endpoint_of(*flight.channel));
  const bool wins = flight.cancelled && (!possible || choices_->below(2) == 0);
  if (flight.error != 0 && !flight.cancelled) {
    result = flight.error;
  } else if (!wins) {
    const std::uint32_t buffer = free_.back();
    std::byte* memory = pool_.base + std::size_t{buffer} * pool_.size;
    result = kernel_->receive(flight.channel->descriptor, {memory, pool_.size});
    if (result > 0) {
      free_.pop_back();
      queue_.progress(*flight.channel, Kind::receive, result, buffer);
      // A receive takes few buffers, and is then started again.
      flight.in_kernel = choices_->one_in(behaviour_.receives_on);
    }
  }
  if (result > 0 && !flight.cancelled) return;
  finish(flight, result > 0 ? -ECANCELED : result);
  flight.channel = nullptr;
}

void SimulatedEngine::run_connect(Flight& flight) {
  int result = flight.error;
  const bool possible = kernel_->can_finish_connect(endpoint_of(*flight.channel));
  if (flight.cancelled && (!possible || choices_->below(2) == 0)) {
    result = -ECANCELED;
  } else if (result == 0) {
    result = kernel_->finish_connect(flight.channel->descriptor);
  }
  finish(flight, result);
  flight.channel = nullptr;
}

void SimulatedEngine::run_send(Flight& flight) {
  engine::PendingSend& pending = *flight.channel->pending_send;
  Endpoint& endpoint = endpoint_of(*flight.channel);
  int result = flight.error;
  const bool possible = kernel_->can_write(endpoint);
  if (flight.cancelled && (!possible || choices_->below(2) == 0)) {
    result = -ECANCELED;
  } else if (result == 0) {
    result = kernel_->send_more(endpoint, pending.message);
    if (result > 0) pending.advance(static_cast<std::size_t>(result));
  }
  if (pending.left == 0) {
    finish(flight, static_cast<std::int32_t>(pending.sent));
  } else if (result < 0 || flight.cancelled) {
    const std::int32_t error = result < 0 ? result : -ECANCELED;
    finish(flight, engine::failed_send_result(*flight.channel, pending.sent, error));
  } else {
    return;
  }
  flight.channel = nullptr;
}

// Queues the final completion; the caller takes the flight off the list.
void SimulatedEngine::finish(const Flight& flight, std::int32_t result) {
  Channel& channel = *flight.channel;
  if (flight.kind == Kind::send) delete std::exchange(channel.pending_send, nullptr);
  --endpoint_of(channel).operations;
  queue_.finish(channel, flight.kind, result);
}

void SimulatedEngine::submit() noexcept {
  enter();
  collect();
}

void SimulatedEngine::reap() noexcept { collect(); }

void SimulatedEngine::wait(int timeout_milliseconds) noexcept {
  const std::uint64_t deadline = kernel_->now() + static_cast<std::uint64_t>(timeout_milliseconds);
  for (;;) {
    enter();
    collect();
    if (!queue_.empty()) {
      vain_waits_.ended(false);
      return;
    }
    if (wakes()) continue;
    const std::uint64_t due = next_due();
    if (due != 0 && due < deadline) {
      kernel_->advance(due - kernel_->now());
    } else {
      kernel_->advance(deadline - kernel_->now());
      vain_waits_.ended(true);
      return;
    }
  }
}

bool SimulatedEngine::has_work() const noexcept { return !queue_.empty() || waiting() > 0; }

bool SimulatedEngine::wakes() const {
  const auto ready = [this](const Flight& flight) { return is_ready(flight); };
  return std::any_of(flights_.begin(), flights_.end(), ready);
}

std::uint64_t SimulatedEngine::next_due() const noexcept {
  std::uint64_t earliest = 0;
  for (const Flight& flight : flights_) {
    if (!flight.in_kernel || flight.due <= kernel_->now()) continue;
    if (earliest == 0 || flight.due < earliest) earliest = flight.due;
  }
  return earliest;
}

void SimulatedEngine::recycle(std::uint32_t buffer) noexcept {
  SOREF_ASSERT(buffer < pool_.count && std::find(free_.begin(), free_.end(), buffer) == free_.end(),
               "a buffer comes back once, to the pool that it came from");
  free_.push_back(buffer);
}

}  // namespace soref::faults
