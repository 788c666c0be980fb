// What all kernel protocols of one environment share: the engine, its completions, and listeners
// that wait for descriptors. Made and run by core/.
#pragma once

#include <memory>
#include <vector>

#include "base/ledger.h"
#include "engine/engine.h"
#include "host/control_block.h"
#include "host/descriptor_owners.h"
#include "protocol/protocol_switch.h"

namespace soref::host {

class HostStack {
 public:
  HostStack(std::unique_ptr<engine::Engine> engine, base::Ledger& ledger) noexcept
      : engine_(std::move(engine)), ledger_(&ledger) {}

  // Adds tcp4, tcp6 and unix to the switch. The stack outlives the switch.
  void register_protocols(protocol::Switch& protocols);

  // Takes one completion out of the engine and turns it into upcalls; false when there is none.
  // The caller reclaims unreferenced sockets between two of these.
  bool complete_next() noexcept;

  // Listeners that ran out of descriptors or memory. They try again when asked: core/ asks after
  // sockets were closed and from a timer, so a full table costs no spinning and loses no listener.
  [[nodiscard]] bool has_paused_accepts() const noexcept { return !paused_.empty(); }
  void retry_accepts() noexcept;

  // --- for KernelProtocol
  [[nodiscard]] engine::Engine& engine() const noexcept { return *engine_; }
  [[nodiscard]] base::Ledger& ledger() const noexcept { return *ledger_; }
  // The control block has its descriptor from here on, until forget() or lose().
  void own(ControlBlock& block) noexcept;
  // Whether some control block has that descriptor.
  [[nodiscard]] bool owns(int number) const noexcept { return owners_.of(number) != nullptr; }
  // Somebody else has closed the descriptor. The number is not ours any more, whatever it names
  // now: it is neither used nor closed, and what is asked of the socket fails with EBADF.
  void lose(ControlBlock& block) noexcept;
  // Takes the control block of a lost descriptor when its socket detaches. If the descriptor has a
  // duplicate, epoll(7) goes on to report the channel, and no number is left by which to end that:
  // so the channel stays as long as the engine.
  void keep(ControlBlock& block) noexcept;
  // What a system call on the descriptor has returned; -EBADF if that is how it turns out to be
  // lost.
  int checked(ControlBlock& block, int result) noexcept;
  // The descriptor is about to be closed or to leave, which it may only without operations in
  // flight.
  void forget(ControlBlock& block) noexcept;
  // Closes the descriptor of a socket that has left, unless an operation is in flight: its number,
  // and the address of a listener, are free then, whoever still refers to the socket.
  void close_unused(ControlBlock& block) noexcept;
  // Gives the descriptor the blocking mode that the engine wants, and its other users stand.
  void enter_engine_mode(ControlBlock& block) noexcept;
  void start_accept(ControlBlock& block) noexcept;
  void start_receive(ControlBlock& block) noexcept;
  void start_send(ControlBlock& block) noexcept;
  void start_connect(ControlBlock& block) noexcept;
  // Ends what the control block has in flight or waits for.
  void cancel(ControlBlock& block) noexcept;

 private:
  void disown(ControlBlock& block) noexcept;
  void complete_accept(ControlBlock& block, const engine::Completion& completion) noexcept;
  void complete_receive(ControlBlock& block, const engine::Completion& completion) noexcept;
  // Goes on with what the last send left in the queue.
  void send_on(ControlBlock& block) noexcept;
  void complete_send(ControlBlock& block, const engine::Completion& completion) noexcept;

  std::unique_ptr<engine::Engine> engine_;
  base::Ledger* ledger_;
  DescriptorOwners owners_;
  std::vector<ControlBlock*> paused_;
  std::vector<std::unique_ptr<ControlBlock>> kept_;
};

}  // namespace soref::host
