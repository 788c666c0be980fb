// Memory that programs of tests send from, as those of Node send from a Buffer.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "base/ledger.h"
#include "protocol/protocol.h"

namespace soref::core {

// Bytes that stay where they are until the core needs them no more; ASan sees whoever reads them
// later.
class Pinned final : public protocol::Pin {
 public:
  Pinned(std::vector<std::byte> bytes, base::Ledger& ledger)
      : bytes_(std::move(bytes)), ledger_(&ledger) {
    ++ledger_->pinned_buffers;
  }
  ~Pinned() override { --ledger_->pinned_buffers; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
  base::Ledger* ledger_;
};

}  // namespace soref::core
