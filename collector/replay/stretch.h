// SPDX-License-Identifier: Apache-2.0
//
// A stretch of one direction of a TCP connection, as a capture holds it.
#pragma once

#include <cstdint>
#include <span>

namespace lunscope {

struct Stretch {
  uint32_t seq = 0;                   // of the first byte
  uint32_t bytes = 0;                 // on the wire
  std::span<const uint8_t> captured;  // of these, from the first on: a snap length may cut the rest
  uint64_t time_ns = 0;

  [[nodiscard]] uint32_t end() const { return seq + bytes; }
};

}  // namespace lunscope
