// The engine: submits operations on kernel descriptors and queues their completions.
//
// An engine knows descriptors and operations, nothing of sockets, protocols or JavaScript. Its one
// caller is host/. Nothing here calls upwards: a finished operation becomes a Completion in the
// engine's own queue, and host/ takes completions out from one function. So no consumer code ever
// runs while an operation is being submitted.
//
// Life of an operation: idle -> in flight (a start function) -> idle (its final completion was
// taken by next()). Every started operation has exactly one final completion, cancelled or not.
// accept and receive complete many times before their final completion (`final == false`); send
// and connect complete once. The channel of an operation in flight must stay where it is.
// completion_queue.h is the one place that sets operation states.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/assert.h"
#include "base/ledger.h"
#include "engine/receive_share.h"

namespace soref::engine {

// A channel carries at most one reading operation (accept, receive) and one writing operation
// (connect, send) at a time.
enum class Kind : std::uint8_t { accept, receive, connect, send };

// finished: the final completion is queued and nobody has taken it yet. All but idle is in flight
// to the caller.
enum class OperationState : std::uint8_t { idle, in_flight, cancelling, finished };

struct PendingSend;

// A descriptor as the engine sees it, embedded in its control block, which owns the descriptor.
struct Channel {
  int descriptor = -1;
  // Set by the engine: the errno by which a send has heard that the connection is broken, some of
  // its bytes having left. The kernel tells that once; a receive that comes later finds an end
  // where there was none.
  std::int32_t broken_by = 0;
  void* owner = nullptr;                   // the control block; opaque to the engine
  const base::Subject* subject = nullptr;  // the socket, for reports

  Kind read_kind = Kind::receive;
  OperationState read_state = OperationState::idle;
  Kind write_kind = Kind::send;
  OperationState write_state = OperationState::idle;

  // Set by the owner before the first operation: others may use the same open file, which is
  // non-blocking then, whatever the engine wants.
  bool shared = false;

  // Set by the caller before a send: the end of the stream follows it at once, so that what is sent
  // may wait for it and leave in the same segment.
  bool end_follows = false;
  // Likewise: somebody waits for the send's result, so it should be tried at once.
  bool awaited = false;

  // Private to the engine that runs: how much a receive may take, what it has registered and seen
  // of this descriptor, its links while it is on one of the engine's lists, what is left of a send,
  // and the errno that ended a send after some of its bytes had left, which the next send reports.
  ReceiveShare receive_share;
  std::uint32_t engine_flags = 0;
  std::int32_t deferred_send_error = 0;
  Channel* engine_next = nullptr;
  Channel* engine_previous = nullptr;
  PendingSend* pending_send = nullptr;

  [[nodiscard]] bool idle() const noexcept {
    return read_state == OperationState::idle && write_state == OperationState::idle;
  }
};

inline constexpr std::uint32_t kNoBuffer = 0xffffffff;

// The most that one send() takes.
inline constexpr std::size_t kMaximumPieces = 16;
inline constexpr std::size_t kMaximumSendBytes = std::size_t{1} << 30;

struct Completion {
  Channel* channel = nullptr;
  Kind kind = Kind::receive;
  bool final = true;
  // accept: the new descriptor, which the taker owns. receive: bytes in `buffer`, 0 at the end of
  // the stream. send: bytes sent, fewer than asked for only with a later error. connect: 0.
  // Negative: an errno; -ECANCELED when cancel() won.
  std::int32_t result = 0;
  std::uint32_t buffer = kNoBuffer;  // receive only; give it back with recycle()
};

// Memory that receives land in: `count` buffers of `size` bytes from `base`. Owned by the
// environment, which keeps it until the engine is gone.
struct BufferPool {
  std::byte* base = nullptr;
  std::uint32_t size = 0;
  std::uint32_t count = 0;  // a power of two, at most 32768
};

class Engine {
 public:
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // "io_uring", "epoll" or a test's own name.
  [[nodiscard]] virtual const char* name() const noexcept = 0;

  // Whether descriptors should have O_NONBLOCK set (epoll) or clear (io_uring, which on older
  // kernels otherwise needs a poll before each operation that has to wait) while they are in this
  // engine's hands. Either mode works, but a shared channel's must be set: its other users would
  // block.
  [[nodiscard]] virtual bool wants_nonblocking() const noexcept = 0;

  // --- starting: the operation of that direction must be idle. None of these can fail: what goes
  // wrong comes back as the completion's result. They may do the work at once if that does not
  // block; the completion is queued all the same.

  // Accepts until cancelled or until an error; new descriptors are close-on-exec and have the
  // blocking mode that this engine wants. EMFILE, ENFILE, ENOMEM and ENOBUFS end it (final), no
  // pending connection is lost; ECONNABORTED and the like are not reported and do not end it. What
  // comes to a shared channel is for whoever asks first, also while this engine does not.
  virtual void accept(Channel& channel) noexcept = 0;
  // Receives until the end of the stream, an error or cancel. While the pool is empty it waits for
  // recycle() and loses nothing.
  virtual void receive(Channel& channel) noexcept = 0;
  // Sends all of `pieces` (at most kMaximumPieces), or the first kMaximumSendBytes of them if they
  // have more. The bytes must stay until the final completion; the array itself is copied. Never
  // raises SIGPIPE.
  virtual void send(Channel& channel, std::span<const iovec> pieces) noexcept = 0;
  // Waits until a connect(2) that returned EINPROGRESS has ended; the result is its SO_ERROR. Must
  // be the first operation of the channel, or the first after forget().
  virtual void connect(Channel& channel) noexcept = 0;

  // Asks for an early end of the channel's operations in flight; idle ones are left alone. Data
  // that was received before the end still completes, and a cancelled send reports the bytes that
  // left (or -ECANCELED if none did). Asking twice is asking once.
  virtual void cancel_read(Channel& channel) noexcept = 0;
  virtual void cancel_write(Channel& channel) noexcept = 0;

  // The descriptor is about to be closed or to leave: forget what is registered for it. Both
  // operations must be idle. False if it has turned out that the number names something else by
  // now.
  virtual bool forget(Channel& channel) noexcept = 0;

  // --- running

  // Hands everything started so far to the kernel, so that a system call that follows comes after
  // it. Queues nothing.
  virtual void hand_over() noexcept {}
  // Hands everything started so far to the kernel and queues what finished meanwhile. Does not
  // block. It arms the wake-up descriptor, so it must be the last call before the loop asks
  // has_work() and blocks.
  virtual void submit() noexcept = 0;
  // Queues what the kernel has finished. Does not block.
  virtual void reap() noexcept = 0;
  // As reap(), but blocks until at least one completion is queued, or `timeout_milliseconds` have
  // passed. For the rare synchronous paths: detach and environment exit.
  virtual void wait(int timeout_milliseconds) noexcept = 0;
  // Takes the oldest completion; false when none is queued. Sets the operation idle if final.
  virtual bool next(Completion& completion) noexcept = 0;
  // Whether there is work that needs no kernel event: completions queued, or descriptors known to
  // be ready. Then the loop must not block.
  [[nodiscard]] virtual bool has_work() const noexcept = 0;
  // Gives a receive buffer back to the pool.
  virtual void recycle(std::uint32_t buffer) noexcept = 0;

  // Becomes readable (level-triggered) when reap() would find something; for the event loop.
  // Means something only after submit() and while has_work() is false.
  [[nodiscard]] virtual int wakeup_descriptor() const noexcept = 0;
  // Makes the wake-up descriptor quiet again, where it does not become so by itself. The loop calls
  // it after each wake-up, before reap().
  virtual void acknowledge_wakeup() noexcept = 0;

  // System calls made so far, for the benchmarks that count them.
  [[nodiscard]] std::uint64_t system_calls() const noexcept { return system_calls_; }

 protected:
  explicit Engine(base::Ledger& ledger) noexcept : ledger_(&ledger) {}
  // Descriptors, operations submitted and operations completed are counted here by each engine.
  base::Ledger* ledger_;
  std::uint64_t system_calls_ = 0;
};

// Which engine to make: by SOREF_ENGINE or by what the machine has.
enum class Choice : std::uint8_t { automatic, io_uring, epoll };

struct Selection {
  std::unique_ptr<Engine> engine;  // null if the engine asked for cannot run here
  std::string reason;              // why not, or why automatic passed over io_uring
};

// Whether io_uring could serve here, whichever engine runs; for reports.
struct UringAvailability {
  bool built = false;  // whether this binary has the engine at all
  std::string mode;    // the mode of the ring that would run; empty if none would
  int error = 0;       // the errno that io_uring_setup(2) refused with, if it did
  std::string reason;  // why none would
};
[[nodiscard]] UringAvailability io_uring_availability();

// Probes and makes an engine. `automatic` never fails on Linux: epoll is always there.
[[nodiscard]] Selection make_engine(Choice choice, BufferPool pool, base::Ledger& ledger);

}  // namespace soref::engine
