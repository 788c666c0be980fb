// Writes down what the core does with its sockets, in the alphabet of test/model/replay.pml, so
// that the automaton of the model can judge it. A TransitionLog observes the socket layer; the
// engine that it wraps tells of operations. A record is the socket's slot and a letter.
#pragma once

#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

#include "engine/engine.h"
#include "host/control_block.h"
#include "socket/socket.h"
#include "socket/transition_observer.h"

namespace soref {

class TransitionLog final : public socket::TransitionObserver {
 public:
  // A null `file` writes nothing.
  explicit TransitionLog(std::FILE* file) noexcept : file_(file) {}

  // An engine whose operations are logged.
  [[nodiscard]] std::unique_ptr<engine::Engine> wrap(std::unique_ptr<engine::Engine> engine,
                                                     base::Ledger& ledger);
  // Between two turns: every socket is at rest.
  void rest(const socket::SocketLayer& layer) {
    layer.for_each([this](const socket::Socket& each) { write(each, 'X'); });
  }
  // The environment is gone.
  void end() { write('.'); }

  // --- of the socket layer
  void socket_allocated(const socket::Socket& socket) override { write(socket, 'A'); }
  void reference_changed(const socket::Socket& socket,
                         const socket::ReferenceChange& change) override {
    constexpr std::string_view kTaken = "cqpoe";
    constexpr std::string_view kDropped = "CQPOE";
    write(socket, (change.taken ? kTaken : kDropped)[static_cast<std::size_t>(change.tag)]);
  }
  void life_changed(const socket::Socket& socket, socket::Life from) override {
    using socket::Life;
    if (from == Life::queued) write(socket, 'l');
    if (socket.life() == Life::queued) {
      write("%u,%uL", socket.name().slot, accepting_);
    }
    constexpr std::string_view kLives = " TuwxZ";
    write(socket, kLives[static_cast<std::size_t>(socket.life())]);
  }
  void protocol_left(const socket::Socket& socket) override { write(socket, 'D'); }
  void socket_detached(const socket::Socket& socket) override { write(socket, 'Y'); }
  void socket_freed(const socket::Socket& socket) override { write(socket, 'G'); }
  void slot_given_back(socket::SocketName name) override { write("%uN", name.slot); }

 private:
  class LoggedEngine;

  void write(const socket::Socket& socket, char letter) {
    write("%u%c", socket.name().slot, letter);
  }
  void write(char letter) { write("%c", letter); }
  template <typename... Values>
  void write(const char* format, Values... values) {
    if (file_ == nullptr) return;
    std::fprintf(file_, format, values...);
    std::fputc('\n', file_);
  }

  std::FILE* file_;
  std::uint32_t accepting_ = 0;  // the listener whose completion is being taken
};

// Passes everything on, and logs what starts, what has its final completion and what is forgotten.
class TransitionLog::LoggedEngine final : public engine::Engine {
 public:
  LoggedEngine(TransitionLog& log, std::unique_ptr<engine::Engine> engine, base::Ledger& ledger)
      : Engine(ledger), log_(&log), engine_(std::move(engine)) {}

  const char* name() const noexcept override { return engine_->name(); }
  bool wants_nonblocking() const noexcept override { return engine_->wants_nonblocking(); }
  void accept(engine::Channel& channel) noexcept override {
    log_->write(socket_of(channel), 'S');
    engine_->accept(channel);
  }
  void receive(engine::Channel& channel) noexcept override {
    log_->write(socket_of(channel), 'S');
    engine_->receive(channel);
  }
  void send(engine::Channel& channel, std::span<const iovec> pieces) noexcept override {
    log_->write(socket_of(channel), 'S');
    engine_->send(channel, pieces);
  }
  void connect(engine::Channel& channel) noexcept override {
    log_->write(socket_of(channel), 'S');
    engine_->connect(channel);
  }
  void cancel_read(engine::Channel& channel) noexcept override { engine_->cancel_read(channel); }
  void cancel_write(engine::Channel& channel) noexcept override { engine_->cancel_write(channel); }
  bool forget(engine::Channel& channel) noexcept override {
    const bool is_ours = engine_->forget(channel);
    log_->write(socket_of(channel), 'R');
    return is_ours;
  }
  void hand_over() noexcept override { engine_->hand_over(); }
  void submit() noexcept override { engine_->submit(); }
  void reap() noexcept override { engine_->reap(); }
  void wait(int timeout_milliseconds) noexcept override { engine_->wait(timeout_milliseconds); }
  bool next(engine::Completion& completion) noexcept override {
    if (!engine_->next(completion)) return false;
    const socket::Socket& socket = socket_of(*completion.channel);
    if (completion.kind == engine::Kind::accept) log_->accepting_ = socket.name().slot;
    if (completion.final) log_->write(socket, 'K');
    return true;
  }
  bool has_work() const noexcept override { return engine_->has_work(); }
  void recycle(std::uint32_t buffer) noexcept override { engine_->recycle(buffer); }
  int wakeup_descriptor() const noexcept override { return engine_->wakeup_descriptor(); }
  void acknowledge_wakeup() noexcept override { engine_->acknowledge_wakeup(); }

 private:
  static const socket::Socket& socket_of(const engine::Channel& channel) noexcept {
    const auto* block = static_cast<const host::ControlBlock*>(channel.owner);
    return *static_cast<const socket::Socket*>(block->socket);
  }

  TransitionLog* log_;
  std::unique_ptr<engine::Engine> engine_;
};

inline std::unique_ptr<engine::Engine> TransitionLog::wrap(std::unique_ptr<engine::Engine> engine,
                                                           base::Ledger& ledger) {
  return std::make_unique<LoggedEngine>(*this, std::move(engine), ledger);
}

}  // namespace soref
