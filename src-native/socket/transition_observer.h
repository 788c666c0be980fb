// Sees every transition of every socket of a layer when it has happened, in order: what a test
// needs to hold the core against a model. Builds without expensive checks call none.
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
  virtual void socket_allocated(const Socket& socket) = 0;
  virtual void reference_changed(const Socket& socket, const ReferenceChange& change) = 0;
  virtual void life_changed(const Socket& socket, Life from) = 0;
  virtual void connection_changed(const Socket& socket, Connection from) = 0;
  // The protocol was told, by close or abort, that the last consumer leaves.
  virtual void protocol_left(const Socket& socket) = 0;
  // The protocol's detach is through: the control block is gone.
  virtual void socket_detached(const Socket& socket) = 0;
  // The last of a socket, just before it is freed: detached, or never attached.
  virtual void socket_freed(const Socket& socket) = 0;
  // The slot of that name can name another socket.
  virtual void slot_given_back(SocketName name) = 0;
};

}  // namespace soref::socket
