// All sockets of one environment: names them, attaches and detaches them, and reports their events.
// core/ owns the layer; it and binding/ are its only callers besides the sockets themselves.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/ledger.h"
#include "protocol/protocol_switch.h"
#include "socket/socket.h"
#include "socket/transition_observer.h"

namespace soref::socket {

class SocketLayer {
 public:
  SocketLayer(protocol::Switch& protocols, EventSink& events, base::Ledger& ledger) noexcept;
  ~SocketLayer();
  SocketLayer(const SocketLayer&) = delete;
  SocketLayer& operator=(const SocketLayer&) = delete;

  // Makes a socket of `family` that JavaScript holds, and attaches it. On failure returns the
  // negative errno and nothing exists; an external resource then remains its owner's. -EEXIST if a
  // socket here is its owner.
  [[nodiscard]] int create(std::uint32_t family, protocol::Origin origin, Socket*& socket);
  // The socket of that name, or null if it is no more.
  [[nodiscard]] Socket* find(SocketName name) const noexcept;

  // End of the turn's commands: what was sent leaves.
  void flush() noexcept;
  // End of the turn: receiving starts and stops. Not before, since most of the sockets that a
  // program destroys when they are accepted would first have begun to receive.
  void update_receiving() noexcept;
  // Whether a flush would send for any socket but this one.
  [[nodiscard]] bool others_wait_to_send(const Socket& socket) const noexcept {
    return to_flush_.size() > (socket.flush_wanted_ ? 1 : 0);
  }
  // After the completions of that flush: tells the sockets whose bytes did not leave at once.
  void report_blocked() noexcept;
  // Detaches and frees what nothing refers to any more. Called between commands and between
  // completions, never from within socket or protocol code.
  void reclaim() noexcept;
  // JavaScript has seen the farewell of that name: its slot can name another socket. Before that it
  // could not, since JavaScript still finds the old one there.
  void reuse_slot(SocketName name);
  // Holds the counts against the sockets; walks all of them, so only in builds with expensive
  // checks.
  void check_counts() const noexcept;
  // Environment exit: every consumer leaves. Operations then end, and reclaim() does the rest.
  void close_all() noexcept;

  // Tells `observer` of every transition from here on; null ends that.
  void observe(TransitionObserver* observer) noexcept { observer_ = observer; }

  [[nodiscard]] base::Ledger& ledger() const noexcept { return *ledger_; }
  [[nodiscard]] EventSink& events() const noexcept { return *events_; }
  [[nodiscard]] const protocol::Switch& protocols() const noexcept { return *protocols_; }
  [[nodiscard]] std::size_t live() const noexcept { return live_; }
  // Operations in flight of sockets whose consumer has gone.
  [[nodiscard]] std::size_t closing_operations() const noexcept { return closing_operations_; }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (const Entry& entry : table_) {
      if (entry.socket != nullptr) visit(*entry.socket);
    }
  }

 private:
  friend class Socket;

  struct Entry {
    Socket* socket = nullptr;
    std::uint32_t generation = 1;
    bool parked = false;  // its last socket is gone, and JavaScript may still know it by its slot
  };

  // What an assertion about a place in the table is about.
  [[nodiscard]] const base::Subject& subject_of(const Entry& entry) const noexcept {
    if (entry.socket != nullptr) return *entry.socket;
    return *ledger_;
  }
  [[nodiscard]] Socket* allocate(protocol::Protocol& protocol);
  void destroy(Socket* socket) noexcept;
  [[nodiscard]] int attach(Socket& socket, protocol::Origin origin) noexcept;
  void detach(Socket& socket) noexcept;
  // Makes the socket of an incoming connection; null if it could not be attached, and the resource
  // is then gone.
  [[nodiscard]] Socket* create_incoming(protocol::Protocol& protocol, int resource) noexcept;
  void unreferenced(Socket& socket) noexcept;
  template <typename Tell>
  void tell(Tell tell) const {
    if constexpr (base::kExpensiveChecks) {
      if (observer_ != nullptr) tell(*observer_);
    }
  }

  protocol::Switch* protocols_;
  EventSink* events_;
  base::Ledger* ledger_;
  TransitionObserver* observer_ = nullptr;
  std::vector<Entry> table_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<SocketName> to_flush_;    // sockets with something new to send
  std::vector<SocketName> flushed_;     // handed to their protocols in this turn
  std::vector<SocketName> to_receive_;  // sockets that were asked to start or to stop receiving
  Socket* unreferenced_ = nullptr;
  std::size_t live_ = 0;
  std::size_t closing_operations_ = 0;
};

}  // namespace soref::socket
