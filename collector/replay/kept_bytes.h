// SPDX-License-Identifier: Apache-2.0
//
// Bytes of a connection whose boundaries are not known yet, in the order in which they came, and
// bytes of its other direction that wait for them. A capture can be read back: once the boundaries
// are known, these bytes are followed again. The bytes that all connections keep together have a
// limit. One thread.
#pragma once

#include <lunscope/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "collector/replay/stretch.h"

namespace lunscope {

// How many bytes all connections of a replay keep together.
struct KeptBudget {
  size_t left = size_t{64} << 20;
};

class KeptBytes {
 public:
  struct Kept {
    uint32_t direction;
    uint32_t seq;
    uint32_t bytes;   // on the wire
    uint64_t number;  // in the order in which the stretches of both directions came
    std::vector<uint8_t> captured;
    uint64_t time_ns;

    [[nodiscard]] Stretch stretch() const { return {seq, bytes, captured, time_ns}; }
  };

  // budget: outlives this.
  explicit KeptBytes(KeptBudget* budget) : budget_(*budget) {}
  KeptBytes(const KeptBytes&) = delete;
  KeptBytes& operator=(const KeptBytes&) = delete;
  ~KeptBytes();

  // Keep this stretch. If it does not continue what is kept of its direction, that is forgotten, as
  // it is if there is no room.
  void Keep(uint32_t direction, const Stretch& stretch);
  // Keep this stretch, wherever it begins. REQUIRES: there is room for it.
  void Add(uint32_t direction, const Stretch& stretch);
  // Forget the stretches of this direction that end before seq, or all of them.
  void ForgetBefore(uint32_t direction, uint32_t seq);
  void Forget(uint32_t direction);
  // The first and the last byte's place that are kept of this direction; none if nothing is.
  [[nodiscard]] std::optional<uint32_t> From(uint32_t direction) const;
  [[nodiscard]] std::optional<uint32_t> To(uint32_t direction) const;
  [[nodiscard]] size_t CountOf(uint32_t direction) const { return kept_[direction].size(); }
  [[nodiscard]] bool HasRoomFor(const Stretch& stretch) const {
    return stretch.captured.size() <= budget_.left;
  }
  // The bytes of this direction, in one piece.
  [[nodiscard]] std::vector<uint8_t> Joined(uint32_t direction) const;
  // Hand out all that is kept, or all of this direction, in the order in which it came, and forget
  // it.
  std::vector<Kept> Take();
  std::vector<Kept> Take(uint32_t direction);

 private:
  KeptBudget& budget_;
  std::array<std::deque<Kept>, LUNSCOPE_DIRECTIONS> kept_;
  uint64_t stretches_ = 0;
};

}  // namespace lunscope
