// Entries and their references.
#include "socket/accept_queue.h"

#include "base/assert.h"
#include "socket/socket.h"

namespace soref::socket {

void AcceptQueue::append(Socket& child) {
  SOREF_ASSERT_ABOUT(child.references(base::Reference::queue) == 0,
                     "a connection is on one accept queue", child);
  child.hold(base::Reference::queue, base::Cause("queued"));
  children_.push_back(&child);
}

Socket* AcceptQueue::take() noexcept {
  if (children_.empty()) return nullptr;
  Socket* child = children_.front();
  children_.pop_front();
  SOREF_ASSERT_ABOUT(child->references(base::Reference::queue) == 1,
                     "an accept queue holds its connections", *child);
  return child;
}

}  // namespace soref::socket
