// SPDX-License-Identifier: Apache-2.0
//
// Additional Header Segments behind a BHS (RFC 7143 section 11.2.2).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace lunscope {

struct Ahs {
  static constexpr uint8_t kExtendedCdb = 1;
  static constexpr uint8_t kBidirectionalLength = 2;

  uint16_t length;  // in bytes, of the content alone, as the AHS has it
  uint8_t type;
  std::span<const uint8_t> content;

  // REQUIRES: type is kExtendedCdb. The bytes of the CDB behind its first 16.
  [[nodiscard]] std::span<const uint8_t> ExtendedCdb() const;
  // REQUIRES: type is kBidirectionalLength. Expected Bidirectional Read Data Length, in bytes.
  [[nodiscard]] uint32_t BidirectionalLength() const;
};

struct AhsList {
  std::vector<Ahs> all;
  bool is_malformed = false;

  // The first of this type, or nullptr.
  [[nodiscard]] const Ahs* Find(uint8_t type) const;
};

// known: the bytes of them that are there. The list ends at the first that is cut off or malformed,
// because what follows it cannot be found.
AhsList ReadAhs(const uint8_t* bhs, std::span<const uint8_t> known);

}  // namespace lunscope
