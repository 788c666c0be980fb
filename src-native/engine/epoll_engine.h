// The engine on epoll(7), for every Linux. Each channel is registered once, edge-triggered in both
// directions, when it first has to wait; a connection that is accepted and closed at once costs no
// epoll_ctl at all. What epoll reports becomes flags in the channel at once, and reap() works those
// off a bounded piece at a time, so that one busy descriptor does not hold up the others.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/channel_list.h"
#include "engine/completion_queue.h"
#include "engine/engine.h"
#include "engine/own_descriptor.h"

namespace soref::engine {

class EpollEngine final : public Engine {
 public:
  // Null, with the reason, if the process may open no epoll instance.
  [[nodiscard]] static std::unique_ptr<EpollEngine> make(BufferPool pool, base::Ledger& ledger,
                                                         std::string& reason);

  [[nodiscard]] const char* name() const noexcept override { return "epoll"; }
  [[nodiscard]] bool wants_nonblocking() const noexcept override { return true; }

  void accept(Channel& channel) noexcept override;
  void receive(Channel& channel) noexcept override;
  void send(Channel& channel, std::span<const iovec> pieces) noexcept override;
  void connect(Channel& channel) noexcept override;
  void cancel_read(Channel& channel) noexcept override;
  void cancel_write(Channel& channel) noexcept override;
  bool forget(Channel& channel) noexcept override;

  // Nothing waits to be handed over: every start function has already done it.
  void submit() noexcept override {}
  void reap() noexcept override;
  void wait(int timeout_milliseconds) noexcept override;
  bool next(Completion& completion) noexcept override { return queue_.take(completion); }
  [[nodiscard]] bool has_work() const noexcept override;
  void recycle(std::uint32_t buffer) noexcept override;

  // An epoll descriptor is itself readable while it has events to report.
  [[nodiscard]] int wakeup_descriptor() const noexcept override { return epoll_.number(); }
  void acknowledge_wakeup() noexcept override {}

 private:
  EpollEngine(int epoll, BufferPool pool, base::Ledger& ledger);

  // Registers the channel if it is not; a negative errno if the kernel refuses.
  [[nodiscard]] std::int32_t watch(Channel& channel) noexcept;
  // Starts a reading operation or a connect: it runs once the descriptor is ready.
  void start_when_ready(Channel& channel, Kind kind) noexcept;
  // Puts the channel on the ready list if it is ready for an operation that it has in flight.
  void schedule(Channel& channel) noexcept;
  // Fetches events and turns all of them into flags, so that none outlives this call.
  void fetch(int timeout_milliseconds) noexcept;
  // One round: every channel that is ready now gets one turn.
  void serve() noexcept;
  void serve_accept(Channel& channel) noexcept;
  void serve_receive(Channel& channel) noexcept;
  // last: nothing is there to be read, or nowhere to put it. other: more may be there.
  enum class Read : std::uint8_t { filled, other, last };
  [[nodiscard]] Read receive_once(Channel& channel) noexcept;
  void serve_send(Channel& channel) noexcept;
  void serve_connect(Channel& channel) noexcept;
  void finish_send(Channel& channel, std::int32_t result) noexcept;

  OwnDescriptor epoll_;
  BufferPool pool_;
  std::vector<std::uint32_t> free_buffers_;
  CompletionQueue queue_;
  ChannelList ready_;
  ChannelList starved_;  // ready to read, but there was no buffer
  std::array<epoll_event, 512> events_{};
};

}  // namespace soref::engine
