// A listener's queue of connections that are complete and that nobody has accepted yet. Each entry
// owns a Reference::queue of the connection it names; the listener outlives its queue's entries,
// since closing it aborts them. Used by socket::Socket only.
#pragma once

#include <cstddef>
#include <deque>

namespace soref::socket {

class Socket;

class AcceptQueue {
 public:
  // Takes the queue reference.
  void append(Socket& child);
  // Takes the oldest entry off; the caller now answers for its queue reference. Null when empty.
  [[nodiscard]] Socket* take() noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return children_.size(); }

 private:
  std::deque<Socket*> children_;
};

}  // namespace soref::socket
