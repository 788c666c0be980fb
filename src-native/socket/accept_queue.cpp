// Entries and their references.
#include "socket/accept_queue.h"

#include "base/assert.h"
#include "socket/socket.h"

namespace soref::socket {

AcceptQueue::~AcceptQueue() {
  SOREF_ASSERT(children_.empty(), "a listener's queue is empty when the listener is freed");
}

void AcceptQueue::append(Socket& child) {
  child.hold(base::Reference::queue, base::Cause("queued"));
  children_.push_back(&child);
}

Socket* AcceptQueue::take() noexcept {
  if (children_.empty()) return nullptr;
  Socket* child = children_.front();
  children_.pop_front();
  return child;
}

}  // namespace soref::socket
