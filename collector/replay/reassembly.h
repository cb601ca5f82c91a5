// SPDX-License-Identifier: Apache-2.0
//
// One direction of a TCP connection, put in order: segments go in as they were captured, stretches
// come out in the order of their sequence numbers, each byte at most once.
//
// Bytes that come early wait for the bytes before them. They stop waiting when the receiver is seen
// to have those (they passed, and the capture missed them), or when too much waits. Then they are
// handed on with a hole before them. The follower of the stream says what the hole means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "collector/replay/stretch.h"

namespace lunscope {

class Reassembly {
 public:
  using Sink = std::function<void(const Stretch&)>;

  // Bytes that may wait, with what it takes to keep them.
  static constexpr size_t kMaxWaitingBytes = size_t{1} << 20;

  explicit Reassembly(Sink sink, size_t max_waiting_bytes = kMaxWaitingBytes)
      : sink_(std::move(sink)), max_waiting_bytes_(max_waiting_bytes) {}

  // The next byte is this one.
  void Start(uint32_t seq);
  [[nodiscard]] bool is_started() const { return next_ != 0; }

  // REQUIRES, of all that follow: is_started().
  void Take(const Stretch& stretch);
  // The receiver has everything before this sequence number.
  void Acknowledge(uint32_t seq);
  // Nothing more will come: hand on what waits.
  void GiveUp();

  // The sequence number behind what was handed on.
  [[nodiscard]] uint32_t next() const { return static_cast<uint32_t>(next_); }
  // All before seq was handed on, or is known to have been received.
  [[nodiscard]] bool IsPast(uint32_t seq) const;
  // The receiver has one byte more than was handed on: a FIN that the capture missed, because PDUs
  // are of whole words (RFC 7143 section 11.1).
  [[nodiscard]] bool HasUnseenEnd() const { return waiting_.empty() && acknowledged_ == next_ + 1; }
  [[nodiscard]] size_t waiting_bytes() const { return waiting_bytes_; }

 private:
  struct Waiting {
    uint32_t bytes;
    uint64_t time_ns;
    std::vector<uint8_t> captured;
  };

  [[nodiscard]] uint64_t PositionOf(uint32_t seq) const;
  void Wait(uint64_t position, const Stretch& stretch);
  void HandOn(uint64_t position, const Stretch& stretch);
  void Release(uint64_t time_ns, bool is_over);

  const Sink sink_;
  const size_t max_waiting_bytes_;
  // Positions are sequence numbers that do not wrap: the low 32 bits are the sequence number.
  uint64_t next_ = 0;  // 0: not started
  uint64_t acknowledged_ = 0;
  std::map<uint64_t, Waiting> waiting_;  // by position
  size_t waiting_bytes_ = 0;
};

}  // namespace lunscope
