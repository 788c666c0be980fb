// The engine on io_uring(7). Operations are entries that one system call a turn hands over; accept
// is multishot, so that a listener costs one entry for many connections. A receive takes
// buffers from a ring that it shares with all others, of no more bytes than its share of buffers
// has, and is then started again in the next turn, unseen by the caller. Small sends are entries;
// those that somebody waits for are tried at once. The kernel may end an operation for reasons of
// its own (no buffer); the engine then starts it again.
#pragma once

#if SOREF_HAVE_LIBURING

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "engine/channel_list.h"
#include "engine/completion_queue.h"
#include "engine/engine.h"
#include "engine/uring_buffers.h"
#include "engine/uring_ring.h"

namespace soref::engine {

class UringEngine final : public Engine {
 public:
  // Null, with the reason, if the kernel refuses a ring in this mode.
  [[nodiscard]] static std::unique_ptr<UringEngine> make(const RingMode& mode, BufferPool pool,
                                                         base::Ledger& ledger, std::string& reason);

  [[nodiscard]] const char* name() const noexcept override { return "io_uring"; }
  [[nodiscard]] bool wants_nonblocking() const noexcept override { return false; }

  void accept(Channel& channel) noexcept override;
  void receive(Channel& channel) noexcept override;
  void send(Channel& channel, std::span<const iovec> pieces) noexcept override;
  void connect(Channel& channel) noexcept override;
  void cancel_read(Channel& channel) noexcept override;
  void cancel_write(Channel& channel) noexcept override;
  bool forget(Channel& channel) noexcept override;

  void hand_over() noexcept override;
  void submit() noexcept override;
  void reap() noexcept override;
  void wait(int timeout_milliseconds) noexcept override;
  bool next(Completion& completion) noexcept override { return queue_.take(completion); }
  [[nodiscard]] bool has_work() const noexcept override;
  void recycle(std::uint32_t buffer) noexcept override { buffers_.give_back(buffer); }

  [[nodiscard]] int wakeup_descriptor() const noexcept override {
    return ring_.wakeup_descriptor();
  }
  void acknowledge_wakeup() noexcept override;

 private:
  UringEngine(const RingMode& mode, BufferPool pool, base::Ledger& ledger);

  // A free entry; hands over those before it if there is none.
  [[nodiscard]] io_uring_sqe& entry() noexcept;
  void start_reading(Channel& channel) noexcept;
  void start_writing(Channel& channel) noexcept;
  // Ends an operation that the kernel has, by asking until it has ended.
  void ask_to_cancel(Channel& channel, std::uint64_t tag) noexcept;

  // Enters the kernel: hands over entries and lets it post completions.
  void enter() noexcept;
  // Takes all completions there are, and enters the kernel for more while it says it has some.
  void collect() noexcept;
  void take_completions() noexcept;
  // Starts again what the kernel had ended by the last reap() and the caller has not meanwhile, and
  // cancels again what goes on. What ends after that waits for the next turn: its caller has yet to
  // see what it has received, and may want no more.
  void restart() noexcept;
  void restart_later(Channel& channel, std::uint32_t what) noexcept;

  void complete(const io_uring_cqe& completion) noexcept;
  void complete_accept(Channel& channel, std::int32_t result, bool more) noexcept;
  // Accepts what waits at a shared listener, for which a poll has ended: why it stops, as errno.
  [[nodiscard]] std::int32_t accept_waiting(Channel& channel) noexcept;
  void complete_receive(Channel& channel, std::int32_t result, unsigned flags) noexcept;
  void complete_connect(Channel& channel, std::int32_t result) noexcept;
  void complete_send(Channel& channel, std::int32_t result) noexcept;
  void finish_send(Channel& channel, std::int32_t result) noexcept;

  // Bytes for each buffer of a channel's share; 0 where a receive takes one buffer.
  const std::uint32_t receive_limit_;
  // Declared before the ring, which must go first.
  UringBuffers buffers_;
  Ring ring_;
  CompletionQueue queue_;
  ChannelList restart_;  // to be started again
  std::size_t due_ = 0;  // so many of them, the first ones, at the next chance
  ChannelList starved_;  // to be received from again when there is a buffer
};

}  // namespace soref::engine

#endif  // SOREF_HAVE_LIBURING
