// An engine on the simulated kernel, with every freedom that engine.h leaves to an engine:
// operations complete in any order and at any time, at once or late; a cancellation wins or loses
// its race; an accept that was to go on has to be started again; the submission queue is full in
// the middle of a start, and then completions are taken before the caller sees them; completions
// find no room and wait. What it does when is up to its behaviour and to choices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "choices.h"
#include "engine/channel_list.h"
#include "engine/completion_queue.h"
#include "engine/engine.h"
#include "simulated_kernel.h"
#include "vain_waits.h"

namespace soref::faults {

// Each rate is "one in so many"; 0 is never.
struct Behaviour {
  bool nonblocking = false;
  std::size_t submission_entries = 64;  // operations that wait to be handed to the kernel
  std::size_t completion_entries = 64;  // completions that one visit to the kernel can bring
  std::uint32_t latency = 0;            // an operation takes up to so many milliseconds
  std::uint32_t holds_back = 0;         // a visit brings fewer completions than there are
  std::uint32_t takes_part = 0;         // a visit takes fewer submissions than there are
  std::uint32_t ends_early = 0;         // an accept does not go on after a connection
  std::uint32_t cancels_at_once = 0;    // a cancellation has won when the call returns
  std::uint32_t defers_sends = 0;       // a send is not tried before it is handed over
  std::uint32_t would_block = 0;        // an operation of the ring does not wait
  std::uint32_t receives_on = 0;        // a receive takes one buffer more before it ends
};

class SimulatedEngine final : public engine::Engine {
 public:
  SimulatedEngine(SimulatedKernel& kernel, Choices& choices, Behaviour behaviour,
                  engine::BufferPool pool, base::Ledger& ledger);
  ~SimulatedEngine() override;

  [[nodiscard]] const char* name() const noexcept override { return "simulated"; }
  [[nodiscard]] bool wants_nonblocking() const noexcept override { return behaviour_.nonblocking; }

  void accept(engine::Channel& channel) noexcept override;
  void receive(engine::Channel& channel) noexcept override;
  void send(engine::Channel& channel, std::span<const iovec> pieces) noexcept override;
  void connect(engine::Channel& channel) noexcept override;
  void cancel_read(engine::Channel& channel) noexcept override;
  void cancel_write(engine::Channel& channel) noexcept override;
  bool forget(engine::Channel& channel) noexcept override;

  void submit() noexcept override;
  void reap() noexcept override;
  void wait(int timeout_milliseconds) noexcept override;
  bool next(engine::Completion& completion) noexcept override { return queue_.take(completion); }
  [[nodiscard]] bool has_work() const noexcept override;
  void recycle(std::uint32_t buffer) noexcept override;

  [[nodiscard]] int wakeup_descriptor() const noexcept override { return -1; }
  void acknowledge_wakeup() noexcept override {}

  // --- for the test's loop
  // Whether the wake-up descriptor would be readable: some operation can complete now.
  [[nodiscard]] bool wakes() const;
  // When the next operation may complete that cannot yet; 0 if there is none.
  [[nodiscard]] std::uint64_t next_due() const noexcept;
  // Nobody holds a buffer any more.
  [[nodiscard]] bool has_all_buffers() const noexcept { return free_.size() == pool_.count; }

 private:
  // An operation in flight, in the order of submission.
  struct Flight {
    engine::Channel* channel;
    engine::Kind kind;
    bool in_kernel = false;
    bool cancelled = false;
    int error = 0;          // the operation ends with it
    std::uint64_t due = 0;  // not before that time
  };

  void start(engine::Channel& channel, engine::Kind kind);
  void cancel(engine::Channel& channel, engine::Kind kind);
  // Hands waiting operations to the kernel.
  void enter();
  // Takes what has completed.
  void collect();
  [[nodiscard]] bool is_ready(const Flight& flight) const;
  void run(std::size_t index);
  void run_accept(Flight& flight);
  void run_receive(Flight& flight);
  void run_connect(Flight& flight);
  void run_send(Flight& flight);
  void finish(const Flight& flight, std::int32_t result);
  [[nodiscard]] Endpoint& endpoint_of(const engine::Channel& channel) const noexcept;
  [[nodiscard]] std::size_t waiting() const noexcept;

  SimulatedKernel* kernel_;
  Choices* choices_;
  Behaviour behaviour_;
  engine::BufferPool pool_;
  std::vector<std::uint32_t> free_;
  engine::CompletionQueue queue_;
  std::vector<Flight> flights_;
  VainWaits vain_waits_;
};

}  // namespace soref::faults
