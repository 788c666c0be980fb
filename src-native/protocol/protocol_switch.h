// The switch itself: finds the protocol for a family, or for a resource that comes from outside.
// Filled once per environment by core/, read by the socket layer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "protocol/protocol.h"

namespace soref::protocol {

// The families that JavaScript names, by number.
enum class Family : std::uint8_t { tcp4 = 0, tcp6 = 1, local = 2 };
inline constexpr std::size_t kFamilies = 3;

class Switch {
 public:
  void add(Family family, std::unique_ptr<Protocol> protocol) noexcept {
    protocols_[static_cast<std::size_t>(family)] = std::move(protocol);
  }

  // Null where this environment has no such protocol.
  [[nodiscard]] Protocol* find(std::uint32_t family) const noexcept {
    return family < kFamilies ? protocols_[family].get() : nullptr;
  }

  // The family of an outside resource, or a negative errno: -EAFNOSUPPORT if no protocol here
  // speaks it, else what is wrong with the resource.
  [[nodiscard]] int family_of(int resource) const noexcept;

 private:
  std::array<std::unique_ptr<Protocol>, kFamilies> protocols_;
};

}  // namespace soref::protocol
