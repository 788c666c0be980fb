// JavaScript's part, played by a script: it holds sockets by name, writes commands into shared
// memory and makes calls as lib/core does, takes the core's events, and checks of each event that
// it may come, and of each byte that it is the next one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "choices.h"
#include "core/core.h"
#include "holder.h"
#include "run_report.h"
#include "simulated_kernel.h"

namespace soref::faults {

// The memory that the consumer and the core share. One for the whole process: it is large, and a
// run leaves nothing in it but numbers that the next run overwrites.
struct Memory {
  Memory();
  // Ready for a run.
  [[nodiscard]] core::SharedMemory shared() noexcept;
  [[nodiscard]] std::int32_t& header(core::Header field) noexcept {
    return control[static_cast<std::size_t>(field)];
  }
  // One event of the batch that is being delivered.
  [[nodiscard]] std::span<std::int32_t> event(std::int32_t index) noexcept {
    const std::size_t at = static_cast<std::size_t>(index) * core::kEventLength;
    return std::span(control).subspan(core::kEventsAt + at, core::kEventLength);
  }

  std::vector<std::int32_t> control;
  std::vector<std::byte> transmit;
  std::unique_ptr<std::byte[]> receive;
};

class Consumer {
 public:
  Consumer(core::Core& core, SimulatedKernel& kernel, Memory& memory, Choices& choices,
           RunReport& report);
  // Closes the descriptors that were released to it.
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // Runs after each event of a socket that the consumer holds.
  std::function<void(Holder*)> after_event;

  // --- what a program does
  void open_listener(std::uint32_t family);
  // Connects to a listener of the run, or to a place outside, by choice.
  void open_connection();
  void adopt();
  void write(Holder& holder);
  void write_pinned(Holder& holder);
  void receive(Holder& holder, bool wanted);
  void shut_down(Holder& holder);
  void close(Holder& holder, bool reset);
  void release(Holder& holder);
  // One of these, by choice.
  void act();
  void act_on(Holder& holder);
  // The program is over: it closes its sockets, and does nothing more.
  void close_everything();
  // The environment has ended: no more code of the program runs.
  void stop() noexcept { stopped_ = true; }

  // Called by Core::deliver() with a batch in shared memory.
  void dispatch();
  // The core has carried out all commands written so far.
  void note_drained();

  [[nodiscard]] const std::vector<std::unique_ptr<Holder>>& holders() const noexcept {
    return holders_;
  }
  [[nodiscard]] Holder* any_open_connection() const noexcept;

 private:
  [[nodiscard]] Holder* find(std::uint32_t slot, std::uint32_t generation) const noexcept;
  [[nodiscard]] socket::Socket* socket_of(const Holder& holder) const noexcept;
  Holder& hold(socket::Socket& socket);
  Holder* create(std::uint32_t family);
  void adopt_descriptor(int descriptor);
  void hold_adopted(socket::Socket& socket);
  void command(core::Command what, const Holder& holder, std::int32_t first = 0,
               std::int32_t second = 0, std::int32_t third = 0);
  void take_bytes(Holder& holder, std::span<const std::byte> bytes);
  [[nodiscard]] std::span<const std::byte> received(std::int32_t buffer, std::int32_t length) const;

  // consumer_events.cpp
  void receive_event(Holder& holder, socket::Event event, std::int32_t first, std::int32_t second);
  void expect(bool condition, const char* expected, const Holder& holder) {
    report_->expect(condition, expected, holder.describe());
  }

  core::Core* core_;
  SimulatedKernel* kernel_;
  Memory* memory_;
  Choices* choices_;
  RunReport* report_;
  std::vector<std::unique_ptr<Holder>> holders_;
  std::vector<int> released_;  // descriptors
  std::uint64_t batch_ = 0;    // counts batches
  std::size_t transmit_used_ = 0;
  std::int32_t transmit_drains_ = -1;
  std::uint32_t next_path_ = 0;
  bool over_ = false;
  bool stopped_ = false;
};

}  // namespace soref::faults
