// Batches of events, and what each of them holds.
#include "core/event_queue.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace soref::core {

namespace {

// Arrivals of a turn in which established connections have something to tell, too: as many as cost
// about as much as a turn of the others, and enough that a turn's own cost is nothing beside
// theirs.
constexpr std::size_t kArrivalsBesideOthers = 16;

constexpr bool is_arrival(socket::Event event) noexcept {
  return event == socket::Event::connection || event == socket::Event::accept_failed;
}

}  // namespace

void EventQueue::queue(socket::Socket& socket, socket::Event event, std::int32_t first,
                       std::int32_t second) {
  socket.hold(base::Reference::event, base::Cause(to_string(event)));
  ++ledger_->events_queued;
  if (is_arrival(event) && !take_place()) {
    arrivals_.push_back({&socket, socket.name(), event, first, second});
    return;
  }
  const bool comes_with_others =
      event == socket::Event::end && socket.references(base::Reference::event) > 1;
  std::vector<Record>& place = comes_with_others ? ends_ : records_;
  place.push_back({&socket, socket.name(), event, first, second});
}

bool EventQueue::take_place() noexcept {
  if (!arrivals_.empty() || in_place_ == kArrivalsBesideOthers) return false;
  ++in_place_;
  return true;
}

void EventQueue::queue_closed(socket::SocketName name) {
  SOREF_ASSERT_EXPENSIVE(!names(name), "a socket's last event is 'closed'", *ledger_);
  ++ledger_->events_queued;
  records_.push_back({nullptr, name, socket::Event::closed, 0, 0});
}

bool EventQueue::names(socket::SocketName name) const noexcept {
  const auto is_of = [&](const Record& record) {
    return record.name.slot == name.slot && record.name.generation == name.generation;
  };
  const auto start = records_.begin() + static_cast<std::ptrdiff_t>(next_);
  return std::any_of(start, records_.end(), is_of) ||
         std::any_of(arrivals_.begin(), arrivals_.end(), is_of) ||
         std::any_of(ends_.begin(), ends_.end(), is_of) ||
         std::any_of(batch_.begin(), batch_.end(), is_of);
}

bool EventQueue::tells_of_unsent() const noexcept {
  return std::any_of(records_.begin() + static_cast<std::ptrdiff_t>(next_), records_.end(),
                     [](const Record& record) {
                       return record.event == socket::Event::blocked ||
                              record.event == socket::Event::send_failed;
                     });
}

void EventQueue::discard(protocol::Chunk chunk) { stack_->engine().recycle(chunk.buffer); }

void EventQueue::release(const Record& record, socket::SocketLayer& layer) noexcept {
  ++ledger_->events_delivered;
  if (record.event == socket::Event::data) {
    stack_->engine().recycle(static_cast<std::uint32_t>(record.first));
  }
  if (record.socket != nullptr) {
    record.socket->drop(base::Reference::event, base::Cause(to_string(record.event)));
  } else {
    layer.reuse_slot(record.name);
  }
}

void EventQueue::admit_ends() {
  if (ends_.empty()) return;
  records_.insert(records_.end(), ends_.begin(), ends_.end());
  ends_.clear();
}

void EventQueue::admit_arrivals() {
  const std::size_t room = kArrivalsBesideOthers - std::exchange(in_place_, 0);
  if (arrivals_.empty()) return;
  // A farewell keeps nobody waiting: those who only come and go have no need of a limit.
  const bool others =
      std::any_of(records_.begin() + static_cast<std::ptrdiff_t>(next_), records_.end(),
                  [](const Record& record) {
                    return !is_arrival(record.event) && record.event != socket::Event::closed;
                  });
  const std::size_t count = others ? std::min(room, arrivals_.size()) : arrivals_.size();
  const auto end = arrivals_.begin() + static_cast<std::ptrdiff_t>(count);
  records_.insert(records_.end(), arrivals_.begin(), end);
  arrivals_.erase(arrivals_.begin(), end);
}

std::uint32_t EventQueue::fill(const SharedMemory& memory, socket::SocketLayer& layer) noexcept {
  SOREF_ASSERT_ABOUT(batch_.empty(), "one batch of events is delivered at a time", *ledger_);
  std::uint32_t count = 0;
  for (; next_ < records_.size() && count < kEventCapacity; ++next_) {
    Record record = records_[next_];
    if (record.socket != nullptr && record.socket->life() != socket::Life::open) {
      // Its consumer closed it: no event may follow but the last.
      release(record, layer);
      continue;
    }
    if (record.event == socket::Event::connection) {
      socket::Socket* child = record.socket->accept();
      if (child == nullptr) {
        release(record, layer);
        continue;
      }
      record.first = static_cast<std::int32_t>(child->name().slot);
      record.second = static_cast<std::int32_t>(child->name().generation);
    }
    const auto out = memory.control.subspan(kEventsAt + count * kEventLength, kEventLength);
    out[0] = static_cast<std::int32_t>(record.event);
    out[1] = static_cast<std::int32_t>(record.name.slot);
    out[2] = static_cast<std::int32_t>(record.name.generation);
    out[3] = record.first;
    out[4] = record.second;
    batch_.push_back(record);
    ++count;
  }
  if (next_ == records_.size()) {
    records_.clear();
    next_ = 0;
  }
  memory.header(Header::event_cursor) = 0;
  memory.header(Header::event_count) = static_cast<std::int32_t>(count);
  return count;
}

void EventQueue::settle(socket::SocketLayer& layer) noexcept {
  for (const Record& record : batch_) release(record, layer);
  batch_.clear();
}

std::vector<protocol::Chunk> EventQueue::take_data(const socket::Socket& socket) {
  std::vector<protocol::Chunk> chunks;
  const auto start = records_.begin() + static_cast<std::ptrdiff_t>(next_);
  const auto kept = std::remove_if(start, records_.end(), [&](const Record& record) {
    if (record.socket != &socket || record.event != socket::Event::data) return false;
    chunks.push_back(
        {static_cast<std::uint32_t>(record.first), static_cast<std::uint32_t>(record.second)});
    ++ledger_->events_delivered;
    record.socket->drop(base::Reference::event, base::Cause("detached"));
    return true;
  });
  records_.erase(kept, records_.end());
  return chunks;
}

void EventQueue::discard_all(socket::SocketLayer& layer) noexcept {
  settle(layer);
  // Releasing frees nothing by itself, so the records stay valid throughout.
  for (const Record& record : arrivals_) release(record, layer);
  arrivals_.clear();
  for (const Record& record : ends_) release(record, layer);
  ends_.clear();
  for (; next_ < records_.size(); ++next_) release(records_[next_], layer);
  records_.clear();
  next_ = 0;
}

}  // namespace soref::core
