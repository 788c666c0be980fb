// Edges: set by what happens to an endpoint, taken by wait().
#include "simulated_epoll.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/assert.h"

namespace soref::faults {

SimulatedEpoll::SimulatedEpoll(SimulatedKernel& kernel, std::uint32_t holds_back)
    : kernel_(&kernel), holds_back_(holds_back) {
  kernel.observe([this](const Endpoint* endpoint) {
    if (endpoint == nullptr) return;
    const auto watch = watches_.find(endpoint->id);
    if (watch != watches_.end()) watch->second.edge = true;
  });
}

SimulatedEpoll::~SimulatedEpoll() { kernel_->observe({}); }

int SimulatedEpoll::control(int operation, int descriptor, const epoll_event* event) {
  Endpoint* endpoint = kernel_->find(descriptor);
  SOREF_ASSERT(endpoint != nullptr, "an open descriptor is watched");
  if (operation == EPOLL_CTL_DEL) return watches_.erase(endpoint->id) == 1 ? 0 : -ENOENT;
  if (const int error = kernel_->fault(Call::watch, *endpoint)) return error;
  return watches_.insert({endpoint->id, Watch{*event}}).second ? 0 : -EEXIST;
}

std::uint32_t SimulatedEpoll::mask_of(const Endpoint& endpoint) const {
  std::uint32_t mask = 0;
  switch (endpoint.state) {
    case EndpointState::listening:
      if (!endpoint.backlog.empty()) mask = EPOLLIN;
      return mask;
    case EndpointState::connecting:
      return 0;
    case EndpointState::failed:
      return EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDHUP;
    case EndpointState::fresh:
    case EndpointState::closed:
      return EPOLLOUT | EPOLLHUP;
    case EndpointState::connected:
      break;
  }
  if (kernel_->can_read(endpoint)) mask |= EPOLLIN;
  if (kernel_->can_write(endpoint)) mask |= EPOLLOUT;
  if (endpoint.peer->end_sent) mask |= EPOLLRDHUP;
  if (endpoint.peer->end_sent && endpoint.end_sent) mask |= EPOLLHUP;
  if (endpoint.reset) mask |= EPOLLHUP | EPOLLRDHUP;
  if (endpoint.reset && !endpoint.reset_reported) mask |= EPOLLERR;
  return mask;
}

std::uint32_t SimulatedEpoll::events_of(const Watch& watch, const Endpoint& endpoint) const {
  // Where a send found no room although there is some, memory was short, and that ends by itself.
  const bool edge = watch.edge || (endpoint.short_of_room && kernel_->can_write(endpoint));
  return edge ? mask_of(endpoint) & (watch.wanted.events | EPOLLERR | EPOLLHUP) : 0;
}

void SimulatedEpoll::finish_connects() {
  for (const auto& [id, watch] : watches_) {
    const Endpoint& endpoint = kernel_->endpoint(id);
    if (endpoint.state != EndpointState::connecting) continue;
    if (kernel_->can_finish_connect(endpoint)) {
      static_cast<void>(kernel_->finish_connect(endpoint.descriptor));
    }
  }
}

int SimulatedEpoll::wait(std::span<epoll_event> events, int timeout_milliseconds) {
  finish_connects();
  if (const int error = kernel_->faults().at(Call::await)) return error;
  std::vector<std::uint32_t> ready;
  for (const auto& [id, watch] : watches_) {
    const Endpoint& endpoint = kernel_->endpoint(id);
    SOREF_ASSERT(endpoint.descriptor >= 0, "what is closed is watched no more");
    if (events_of(watch, endpoint) != 0) ready.push_back(id);
  }
  std::size_t count = 0;
  while (!ready.empty() && count < events.size()) {
    const auto choice =
        ready.begin() + kernel_->choices().below(static_cast<std::uint32_t>(ready.size()));
    const std::uint32_t id = *choice;
    ready.erase(choice);
    if (kernel_->choices().one_in(holds_back_)) continue;
    Watch& watch = watches_.at(id);
    Endpoint& endpoint = kernel_->endpoint(id);
    events[count++] = {events_of(watch, endpoint), watch.wanted.data};
    watch.edge = false;
    if (kernel_->can_write(endpoint)) endpoint.short_of_room = false;
  }
  vain_waits_.ended(count == 0 && timeout_milliseconds != 0);
  return static_cast<int>(count);
}

bool SimulatedEpoll::is_readable() const {
  return std::any_of(watches_.begin(), watches_.end(), [this](const auto& entry) {
    const Endpoint& endpoint = kernel_->endpoint(entry.first);
    if (endpoint.state == EndpointState::connecting) return kernel_->can_finish_connect(endpoint);
    return events_of(entry.second, endpoint) != 0;
  });
}

}  // namespace soref::faults
