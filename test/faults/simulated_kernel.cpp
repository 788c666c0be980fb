// Descriptors, names and connections of the simulated kernel; bytes are in simulated_streams.cpp.
#include "simulated_kernel.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace soref::faults {

namespace {

std::uint16_t port_of(const std::string& name) noexcept {
  // The port is at the same place in sockaddr_in and sockaddr_in6.
  std::uint16_t port = 0;
  std::memcpy(&port, name.data() + offsetof(sockaddr_in, sin_port), sizeof port);
  return ntohs(port);
}

void set_port(std::string& name, std::uint16_t port) noexcept {
  const std::uint16_t in_order = htons(port);
  std::memcpy(name.data() + offsetof(sockaddr_in, sin_port), &in_order, sizeof in_order);
}

bool is_local(const std::string& name) noexcept {
  sa_family_t family = 0;
  std::memcpy(&family, name.data(), sizeof family);
  return family == AF_UNIX;
}

std::string path_of(const std::string& name) {
  return name.c_str() + offsetof(sockaddr_un, sun_path);
}

std::string unnamed(int domain) {
  const auto family = static_cast<sa_family_t>(domain);
  std::string name(domain == AF_INET6  ? sizeof(sockaddr_in6)
                   : domain == AF_INET ? sizeof(sockaddr_in)
                                       : offsetof(sockaddr_un, sun_path),
                   '\0');
  std::memcpy(name.data(), &family, sizeof family);
  return name;
}

}  // namespace

SimulatedKernel::SimulatedKernel(Choices& choices, FaultPlan& faults, KernelLimits limits)
    : choices_(&choices), faults_(&faults), limits_(limits) {
  null_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  SOREF_ASSERT(null_ >= 0, "the machine has a null device");
}

SimulatedKernel::~SimulatedKernel() {
  SOREF_ASSERT(open_ == 0, "no simulated descriptor is left open");
  ::syscall(SYS_close, null_);
}

void SimulatedKernel::advance(std::uint64_t milliseconds) {
  now_ += milliseconds;
  if (changed_) changed_(nullptr);
}

Endpoint& SimulatedKernel::make_endpoint(int domain) {
  auto& made = *endpoints_.emplace_back(std::make_unique<Endpoint>());
  made.id = static_cast<std::uint32_t>(endpoints_.size() - 1);
  made.domain = domain;
  made.local = unnamed(domain);
  return made;
}

Endpoint* SimulatedKernel::find(int descriptor) const noexcept {
  const auto index = static_cast<std::size_t>(descriptor);
  return descriptor >= 0 && index < by_descriptor_.size() ? by_descriptor_[index] : nullptr;
}

bool SimulatedKernel::owns(int descriptor) const noexcept {
  return find(descriptor) != nullptr || own_descriptors_.contains(descriptor);
}

int SimulatedKernel::new_descriptor() const {
  const int descriptor = ::fcntl(null_, F_DUPFD_CLOEXEC, 0);
  SOREF_ASSERT(descriptor >= 0, "the machine has enough descriptors for the simulation");
  return descriptor;
}

int SimulatedKernel::open(Endpoint& endpoint) {
  if (at_descriptor_limit()) return -EMFILE;
  const int descriptor = new_descriptor();
  const auto index = static_cast<std::size_t>(descriptor);
  if (index >= by_descriptor_.size()) by_descriptor_.resize(index + 1);
  by_descriptor_[index] = &endpoint;
  endpoint.descriptor = descriptor;
  ++open_;
  return descriptor;
}

int SimulatedKernel::fault(Call call, Endpoint& endpoint) {
  const int error = faults_->at(call);
  // A send that fails so is only tried again.
  const bool goes_on = call == Call::send && (error == -EAGAIN || error == -EINTR);
  if (error != 0 && !goes_on) endpoint.disturbed = true;
  return error;
}

int SimulatedKernel::socket(int domain) {
  if (const int error = faults_->at(Call::socket)) return error;
  if (at_descriptor_limit()) return -EMFILE;
  return open(make_endpoint(domain));
}

// --- names

Endpoint* SimulatedKernel::listener_at(const std::string& name) const noexcept {
  for (const auto& endpoint : endpoints_) {
    if (endpoint->state == EndpointState::listening && endpoint->local == name) {
      return endpoint.get();
    }
  }
  return nullptr;
}

int SimulatedKernel::bind(int descriptor, const std::string& name) {
  if (const int error = faults_->at(Call::bind)) return error;
  Endpoint& endpoint = *find(descriptor);
  if (is_local(name)) {
    if (!paths_.insert(path_of(name)).second) return -EADDRINUSE;
    endpoint.local = name;
    return 0;
  }
  std::string chosen = name;
  if (port_of(name) == 0) set_port(chosen, next_port_++);
  if (listener_at(chosen) != nullptr) return -EADDRINUSE;
  endpoint.local = chosen;
  return 0;
}

int SimulatedKernel::unlink(const std::string& path) {
  // The path is gone for the kernel all the same, so that a run does not trip over what is left.
  const bool existed = paths_.erase(path) > 0;
  if (const int error = faults_->at(Call::unlink)) return error;
  return existed ? 0 : -ENOENT;
}

int SimulatedKernel::local_name(int descriptor, std::string& name) {
  if (const int error = faults_->at(Call::get_name)) return error;
  name = find(descriptor)->local;
  return 0;
}

int SimulatedKernel::peer_name(int descriptor, std::string& name) {
  if (const int error = faults_->at(Call::get_name)) return error;
  const Endpoint& endpoint = *find(descriptor);
  if (endpoint.state != EndpointState::connected || endpoint.reset) return -ENOTCONN;
  name = endpoint.peer->local;
  return 0;
}

bool SimulatedKernel::peer_has_ended(int descriptor) {
  const Endpoint& endpoint = *find(descriptor);
  return endpoint.state == EndpointState::connected && (endpoint.reset || endpoint.peer->end_sent);
}

// --- options

// What waits to be reported of a socket, once.
int SimulatedKernel::take_error(Endpoint& endpoint) {
  if (endpoint.state == EndpointState::failed) return ECONNREFUSED;
  if (!endpoint.reset || std::exchange(endpoint.reset_reported, true)) return 0;
  return ECONNRESET;
}

int SimulatedKernel::option(int descriptor, int level, int option, int& value) {
  if (const int error = fault(Call::get_option, *find(descriptor))) return error;
  SOREF_ASSERT(level == SOL_SOCKET, "only options of the socket level are asked for");
  if (option == SO_DOMAIN) value = find(descriptor)->domain;
  if (option == SO_TYPE) value = SOCK_STREAM;
  if (option == SO_ERROR) value = take_error(*find(descriptor));
  return 0;
}

int SimulatedKernel::set_option(int descriptor, int level, int option, const void* value) {
  if (const int error = faults_->at(Call::set_option)) return error;
  if (level == SOL_SOCKET && option == SO_LINGER) {
    linger how{};
    std::memcpy(&how, value, sizeof how);
    find(descriptor)->reset_on_close = how.l_onoff != 0 && how.l_linger == 0;
  }
  return 0;
}

int SimulatedKernel::set_blocking(int /*descriptor*/) { return faults_->at(Call::set_blocking); }

// --- connections

int SimulatedKernel::listen(int descriptor, int backlog) {
  if (const int error = faults_->at(Call::listen)) return error;
  Endpoint& endpoint = *find(descriptor);
  if (!is_local(endpoint.local) && port_of(endpoint.local) == 0) {
    set_port(endpoint.local, next_port_++);
  }
  if (listener_at(endpoint.local) != nullptr) return -EADDRINUSE;
  endpoint.state = EndpointState::listening;
  endpoint.backlog_limit = static_cast<std::size_t>(std::max(backlog, 1));
  return 0;
}

int SimulatedKernel::connect(int descriptor, const std::string& name) {
  if (const int error = faults_->at(Call::connect)) return error;
  Endpoint& endpoint = *find(descriptor);
  if (endpoint.state != EndpointState::fresh) return -EISCONN;
  endpoint.remote = name;
  if (!is_local(name)) {
    endpoint.state = EndpointState::connecting;
    return -EINPROGRESS;
  }
  Endpoint* listener = listener_at(name);
  if (listener == nullptr) return paths_.contains(path_of(name)) ? -ECONNREFUSED : -ENOENT;
  if (listener->backlog.size() >= listener->backlog_limit) return -EAGAIN;
  establish(endpoint, *listener);
  return 0;
}

Endpoint& SimulatedKernel::establish(Endpoint& client, Endpoint& listener) {
  Endpoint& server = make_endpoint(listener.domain);
  server.state = EndpointState::connected;
  server.local = listener.local;
  server.peer = &client;
  client.state = EndpointState::connected;
  client.peer = &server;
  listener.backlog.push_back(&server);
  changed(listener);
  changed(client);
  return server;
}

Endpoint& SimulatedKernel::accept_outside(Endpoint& client) {
  Endpoint& server = make_endpoint(client.domain);
  server.outside = true;
  server.state = EndpointState::connected;
  server.local = client.remote;
  server.peer = &client;
  client.state = EndpointState::connected;
  client.peer = &server;
  changed(client);
  return server;
}

bool SimulatedKernel::can_finish_connect(const Endpoint& endpoint) const noexcept {
  if (endpoint.state != EndpointState::connecting) return true;
  if (const Endpoint* listener = listener_at(endpoint.remote)) {
    return listener->backlog.size() < listener->backlog_limit;
  }
  return port_of(endpoint.remote) != kSilentPort;
}

int SimulatedKernel::finish_connect(int descriptor) {
  Endpoint& endpoint = *find(descriptor);
  if (!can_finish_connect(endpoint)) return -EAGAIN;
  if (Endpoint* listener = listener_at(endpoint.remote)) {
    establish(endpoint, *listener);
  } else if (port_of(endpoint.remote) == kAcceptingPort) {
    accept_outside(endpoint);
  } else {
    endpoint.state = EndpointState::failed;
    changed(endpoint);
    return -ECONNREFUSED;
  }
  return 0;
}

int SimulatedKernel::accept(int descriptor) {
  Endpoint& listener = *find(descriptor);
  // accept(2) wants a descriptor before it looks for a connection.
  if (at_descriptor_limit()) return -EMFILE;
  if (listener.backlog.empty()) return -EAGAIN;
  Endpoint& oldest = *listener.backlog.front();
  listener.backlog.pop_front();
  if (listener.flooded) connect_from_outside(listener);
  // One that was reset meanwhile is told of by some kernels, and handed out by others.
  if (oldest.reset && choices_->one_in(2)) {
    oldest.state = EndpointState::closed;
    return -ECONNABORTED;
  }
  return open(oldest);
}

// What the peer sees of an endpoint that goes.
void SimulatedKernel::leave(Endpoint& endpoint, bool reset) {
  if (endpoint.state == EndpointState::connected) {
    // Bytes that nobody reads any more are answered with a reset (RFC 1122, 4.2.2.13).
    const bool unread = endpoint.peer->sent > endpoint.received;
    if (reset || unread) {
      endpoint.peer->reset = true;
    } else {
      endpoint.end_sent = true;
    }
    changed(*endpoint.peer);
  }
  for (Endpoint* waiting : endpoint.backlog) leave(*waiting, true);
  endpoint.backlog.clear();
  endpoint.state = EndpointState::closed;
  // Whoever waited for room in its backlog is refused now.
  changed(endpoint);
}

int SimulatedKernel::open_own() {
  const int descriptor = new_descriptor();
  own_descriptors_.insert(descriptor);
  return descriptor;
}

int SimulatedKernel::close(int descriptor) {
  if (own_descriptors_.erase(descriptor) > 0) {
    return static_cast<int>(::syscall(SYS_close, descriptor));
  }
  Endpoint& endpoint = *find(descriptor);
  SOREF_ASSERT(endpoint.operations == 0,
               "a descriptor is closed only without operations in flight");
  leave(endpoint, endpoint.reset_on_close);
  by_descriptor_[static_cast<std::size_t>(descriptor)] = nullptr;
  endpoint.descriptor = -1;
  --open_;
  ::syscall(SYS_close, descriptor);
  return faults_->at(Call::close);
}

int SimulatedKernel::connected_descriptor() {
  Endpoint& client = make_endpoint(AF_UNIX);
  client.remote = client.local;
  accept_outside(client);
  return open(client);
}

void SimulatedKernel::close_released(int descriptor) {
  const Endpoint& endpoint = *find(descriptor);
  if (is_local(endpoint.local)) paths_.erase(path_of(endpoint.local));
  static_cast<void>(close(descriptor));
}

}  // namespace soref::faults
