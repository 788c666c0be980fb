// The bytes of one socket on their way out, in order. Owned by the socket layer, read by the
// protocol. Small writes of one turn are copied into one piece, so that they leave together; a
// large one stays where it is and is pinned until the queue lets go of it.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace soref::protocol {

// Keeps memory that somebody else owns where it is; destroyed when the bytes are needed no more.
class Pin {
 public:
  Pin() noexcept = default;
  virtual ~Pin() = default;
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;
};

class SendQueue {
 public:
  void append_copy(std::span<const std::byte> bytes);
  void append_pinned(std::span<const std::byte> bytes, std::unique_ptr<Pin> pin);
  // Marks the end of a write whose departure somebody awaits: consume() counts it.
  void mark() { marks_.push_back(position_ + size_); }

  // The end of the stream follows what is queued, without delay: so a protocol may send both in one
  // segment.
  void set_end_follows(bool follows) noexcept { end_follows_ = follows; }
  [[nodiscard]] bool end_follows() const noexcept { return end_follows_; }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  // Whether there are bytes and the first of them have never been given out by front().
  [[nodiscard]] bool untried() const noexcept {
    return !pieces_.empty() && !pieces_.front().handed_out;
  }

  // Fills `pieces` from the front and returns how many were filled. The bytes stay in place until
  // consumed; until then nothing is copied into a piece that was handed out.
  [[nodiscard]] std::size_t front(std::span<iovec> pieces) noexcept;

  // `bytes` have left. Returns how many marks were reached by that.
  [[nodiscard]] std::size_t consume(std::size_t bytes) noexcept;
  // Marks that were not reached.
  [[nodiscard]] std::size_t awaited() const noexcept { return marks_.size(); }
  // Drops everything. No piece may be in the kernel's hands.
  void clear() noexcept;

 private:
  struct Piece {
    std::vector<std::byte> copy;
    std::unique_ptr<Pin> pin;
    const std::byte* data = nullptr;  // of the pinned memory; null for a copy
    std::size_t length = 0;
    bool handed_out = false;

    [[nodiscard]] const std::byte* begin() const noexcept {
      return data != nullptr ? data : copy.data();
    }
  };

  // Vectors, not deques: a queue is nearly always empty or one piece long, and there are as many
  // queues as connections.
  std::vector<Piece> pieces_;
  std::vector<std::uint64_t> marks_;  // positions at which awaited writes end
  std::size_t size_ = 0;
  std::size_t offset_ = 0;      // of the first unsent byte in the first piece
  std::uint64_t position_ = 0;  // bytes consumed since the start
  bool end_follows_ = false;
};

}  // namespace soref::protocol
