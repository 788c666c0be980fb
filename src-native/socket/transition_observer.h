// Sees every transition of every socket of a layer when it has happened, in order: what a test
// needs to hold the core against a model. An observer overrides what it wants to see. Builds
// without expensive checks call none.
#pragma once

#include "socket/event_sink.h"
#include "socket/reference_log.h"
#include "socket/socket_state.h"

namespace soref::socket {

class Socket;

class TransitionObserver {
 public:
  TransitionObserver() = default;
  virtual ~TransitionObserver() = default;
  TransitionObserver(const TransitionObserver&) = delete;
  TransitionObserver& operator=(const TransitionObserver&) = delete;

  // The socket has its name and its protocol, and is allocated.
  virtual void socket_allocated(const Socket& /*socket*/) {}
  virtual void reference_changed(const Socket& /*socket*/, const ReferenceChange& /*change*/) {}
  virtual void life_changed(const Socket& /*socket*/, Life /*from*/) {}
  virtual void connection_changed(const Socket& /*socket*/, Connection /*from*/) {}
  // The protocol was told, by close or abort, that the last consumer leaves.
  virtual void protocol_left(const Socket& /*socket*/) {}
  // The protocol's detach is through: the control block is gone.
  virtual void socket_detached(const Socket& /*socket*/) {}
  // The last of a socket, just before it is freed: detached, or never attached.
  virtual void socket_freed(const Socket& /*socket*/) {}
  // The slot of that name can name another socket.
  virtual void slot_given_back(SocketName /*name*/) {}
};

}  // namespace soref::socket
