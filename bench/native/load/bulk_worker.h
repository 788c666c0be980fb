// The loads of many bytes: connections that send 64 KB after 64 KB, or read whatever comes, or
// both. What is read is thrown away in the kernel (MSG_TRUNC), so that the client costs as little
// as it can; how many bytes there were is compared with what the server says.
#pragma once

#include "worker.h"

namespace soref::bench {

class BulkWorker final : public Worker {
 public:
  BulkWorker(const Options& options, SharedState& shared, const Share& share)
      : Worker(options, shared, share, true), piece_(kPiece, 'b'), offsets_(share.concurrency) {}

 private:
  static constexpr size_t kPiece = 65'536;     // bytes of a write
  static constexpr size_t kDiscard = 1 << 20;  // bytes of a read
  static constexpr int kAtATime = 8;           // calls, before other connections have their turn

  bool sends() const { return options_.mode != Mode::bulk_from; }

  // Level-triggered, since a turn does not take everything.
  void begin(uint32_t slot) override {
    offsets_[slot] = 0;
    watch(slot, sends() ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void on_ready(uint32_t slot, uint32_t events) override {
    const Connection& connection = connections_[slot];
    if (ending_ && !connection.shut) end_kept(slot);
    if (connection.descriptor >= 0 && (events & EPOLLOUT) != 0 && !connection.shut) send_some(slot);
    if (connection.descriptor >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
      read_some(slot);
    }
  }

  void send_some(uint32_t slot) {
    for (int i = 0; i < kAtATime; ++i) {
      size_t& offset = offsets_[slot];
      const ssize_t sent = send(connections_[slot].descriptor, piece_.data() + offset,
                                kPiece - offset, MSG_NOSIGNAL);
      if (sent < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
      if (sent < 0) return fail(slot, failure_of(errno));
      offset = (offset + static_cast<size_t>(sent)) % kPiece;
      if (options_.mode == Mode::bulk_to) add(state_.completed, static_cast<uint64_t>(sent));
    }
  }

  void read_some(uint32_t slot) {
    for (int i = 0; i < kAtATime; ++i) {
      const ssize_t size =
          recv(connections_[slot].descriptor, nullptr, kDiscard, MSG_TRUNC | MSG_DONTWAIT);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (size < 0) return fail(slot, failure_of(errno));
      if (size == 0) {
        return connections_[slot].shut ? succeed(slot) : fail(slot, kUnexpectedEnd);
      }
      if (options_.mode == Mode::bulk_to) return fail(slot, kUnexpectedData);
      add(state_.completed, static_cast<uint64_t>(size));
    }
  }

  // Our end; the server's comes when it has everything, and with it the connection's.
  void end_kept(uint32_t slot) override {
    shut(slot);
    if (connections_[slot].descriptor >= 0) watch(slot, EPOLLIN);
  }

  std::vector<char> piece_;
  std::vector<size_t> offsets_;  // how much of the piece under way has left
};

}  // namespace soref::bench
