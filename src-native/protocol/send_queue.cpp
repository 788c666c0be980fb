// The send queue's bookkeeping: pieces at one end, consumed bytes and finished writes at the other.
#include "protocol/send_queue.h"

#include <algorithm>

#include "base/assert.h"

namespace soref::protocol {

namespace {
// A copied piece grows up to this size; beyond it a new one starts, so that growing never moves
// much memory.
constexpr std::size_t kPieceLimit = std::size_t{64} * 1024;
}  // namespace

void SendQueue::append_copy(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const bool fits = !pieces_.empty() && pieces_.back().data == nullptr &&
                    !pieces_.back().handed_out &&
                    pieces_.back().length + bytes.size() <= kPieceLimit;
  if (!fits) pieces_.emplace_back();
  Piece& piece = pieces_.back();
  piece.copy.insert(piece.copy.end(), bytes.begin(), bytes.end());
  piece.length = piece.copy.size();
  size_ += bytes.size();
}

void SendQueue::append_pinned(std::span<const std::byte> bytes, std::unique_ptr<Pin> pin) {
  if (bytes.empty()) return;
  Piece& piece = pieces_.emplace_back();
  piece.pin = std::move(pin);
  piece.data = bytes.data();
  piece.length = bytes.size();
  size_ += bytes.size();
}

std::size_t SendQueue::front(std::span<iovec> pieces) noexcept {
  const std::size_t count = std::min(pieces.size(), pieces_.size());
  for (std::size_t index = 0; index < count; ++index) {
    Piece& piece = pieces_[index];
    piece.handed_out = true;
    const std::size_t skip = index == 0 ? offset_ : 0;
    pieces[index] = {const_cast<std::byte*>(piece.begin()) + skip, piece.length - skip};
  }
  return count;
}

std::size_t SendQueue::consume(std::size_t bytes) noexcept {
  SOREF_ASSERT(bytes <= size_, "no more bytes leave than were queued");
  size_ -= bytes;
  position_ += bytes;
  offset_ += bytes;
  auto piece = pieces_.begin();
  for (; piece != pieces_.end() && offset_ >= piece->length; ++piece) offset_ -= piece->length;
  pieces_.erase(pieces_.begin(), piece);
  const auto mark = std::upper_bound(marks_.begin(), marks_.end(), position_);
  const auto finished = static_cast<std::size_t>(mark - marks_.begin());
  marks_.erase(marks_.begin(), mark);
  return finished;
}

void SendQueue::clear() noexcept {
  pieces_.clear();
  marks_.clear();
  position_ += size_;
  size_ = 0;
  offset_ = 0;
}

}  // namespace soref::protocol
