// SPDX-License-Identifier: Apache-2.0
//
// Packets in the order of their times. Some tools write packets as their queues deliver them, so
// one direction of a connection runs ahead of the other. Packets wait here until the file has gone
// on by kWindowNs, or until too many bytes wait. A packet that comes later than that is counted.
//
// The clock of a capture may be set back. Then a packet has an earlier time than one that TCP's
// numbers put in front of it, and sorting by time would mix the packets up. From there on all
// times are moved on by as much, so that they do not go back. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "collector/replay/packet_reader.h"

namespace lunscope {

struct SorterCounts {
  uint64_t out_of_order = 0;  // packets with a time before that of one in front of them in the file
  uint64_t late = 0;          // those of them that came too late to be sorted in
  uint64_t steps_back = 0;    // of the capture's clock
  uint64_t stepped_back_ns = 0;  // by how much at least, in all
};

class PacketSorter {
 public:
  static constexpr uint64_t kWindowNs = 1'000'000'000;
  static constexpr size_t kMaxWaitingBytes = size_t{32} << 20;

  // sorts: false: packets come as they are, at once, and are only counted.
  PacketSorter(std::unique_ptr<PacketReader> reader, bool sorts)
      : reader_(std::move(reader)), sorts_(sorts) {}

  // The next packet, which is good until the next call. False: there are no more.
  bool Next(CapturedPacket* packet);
  [[nodiscard]] const PacketReader& reader() const { return *reader_; }

  [[nodiscard]] const SorterCounts& counts() const { return counts_; }
  [[nodiscard]] size_t waiting_bytes() const { return waiting_bytes_; }

 private:
  struct Waiting {
    CapturedPacket packet;
    std::vector<uint8_t> bytes;
    uint64_t number = 0;  // in the file
  };
  // By time; packets of the same time in the order of the file.
  using Key = std::pair<uint64_t, uint64_t>;
  static Key KeyOf(const Waiting& waiting) { return {waiting.packet.time_ns, waiting.number}; }

  bool Read();
  [[nodiscard]] uint64_t EarliestTime(const CapturedPacket& packet) const;
  void UndoSteps(CapturedPacket* packet);
  [[nodiscard]] bool IsStrayNext() const;
  [[nodiscard]] bool IsDue() const;
  Waiting TakeNext();

  const std::unique_ptr<PacketReader> reader_;
  const bool sorts_;
  std::deque<Waiting> in_order_;   // in most files all packets
  std::map<Key, Waiting> strays_;  // that came behind a later packet
  size_t waiting_bytes_ = 0;
  Waiting given_;
  bool is_over_ = false;
  uint64_t read_ = 0;       // packets
  uint64_t latest_ns_ = 0;  // of all that was read
  uint64_t given_ns_ = 0;   // of the last that was given
  SorterCounts counts_;
};

}  // namespace lunscope
