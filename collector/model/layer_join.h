// SPDX-License-Identifier: Apache-2.0
//
// Finds the same command in two layers of one host. In the outer layer it begins sooner and ends
// later: the SCSI mid-layer has a command of the wire within it, and a target's wire has one of LIO
// within it.
//
// No number is in both records: the mid-layer's hooks run before the task tag is given and after it
// is taken back, and LIO's core knows none. Instead target, LUN and all 16 bytes of the CDB must be
// equal, and the inner time must lie within the outer one; both records use one clock. Two equal
// CDBs at the same time may be taken for each other, which changes no sum.
//
// Rejected: to read the task tag from libiscsi or from iscsi_target_mod in between. That takes a
// hook on a function of a module, which a kernel under lockdown does not allow.
//
// Not thread-safe. Once its queues have grown, it makes no allocation.
#pragma once

#include <lunscope/records.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lunscope {

// The part of a command that the inner layer had.
struct InnerPart {
  uint64_t before_ns;
  uint64_t within_ns;
  uint64_t behind_ns;
  // The phases of the inner layer, by slot (include/lunscope/phases.h). Bit i: that of slot i is
  // known. LIO has none.
  std::array<uint64_t, LUNSCOPE_PHASE_SLOTS> phase_ns;
  uint8_t known_phases;
};

class LayerJoin {
 public:
  // Limits of the commands that wait for the outer layer's record, for one LUN, and of such LUNs. A
  // command of an initiator in user space waits until others push it out.
  static constexpr size_t kMaxWaiting = 2048;
  static constexpr size_t kMaxLuns = 1024;

  // A command of the inner layer. REQUIRES: it comes before the outer layer's record of the same
  // command.
  void Put(const std::string& target, const lunscope_command_record& inner);

  // When the inner layer had this command. It is not found a second time.
  std::optional<InnerPart> Take(const std::string& target, const lunscope_command_record& outer);

 private:
  struct Inner {
    uint64_t start_ns;
    uint64_t end_ns;
    std::array<uint8_t, ISCSI_CDB_BYTES> cdb;
    std::array<uint64_t, LUNSCOPE_PHASE_SLOTS> phase_ns;
    uint8_t known_phases;
  };

  // First in, first out, but any element can be taken out. Keeps its memory, so that a record makes
  // no allocation.
  class Queue {
   public:
    [[nodiscard]] size_t size() const { return size_; }
    Inner& operator[](size_t i) { return ring_[(first_ + i) & (ring_.size() - 1)]; }
    void Push(const Inner& inner);
    void PopFront();
    void Take(size_t i);

   private:
    std::vector<Inner> ring_;  // a power of two
    size_t first_ = 0;
    size_t size_ = 0;
  };

  // By target and LUN. A lookup makes no std::string.
  using Key = std::pair<std::string, uint64_t>;
  using KeyView = std::pair<std::string_view, uint64_t>;
  struct Less {
    using is_transparent = void;
    bool operator()(const KeyView& a, const KeyView& b) const { return a < b; }
  };

  Queue* QueueOf(const std::string& target, uint64_t lun);

  std::map<Key, Queue, Less> waiting_;
  size_t empty_ = 0;  // how many wait for nothing: kept until another LUN needs the place
};

// The time that LIO and its backend took of a command of a target's wire, out of its phase
// `service`. LIO's time begins with the command, so for a write it has the wait for the data as
// well. That wait, and the time in the socket, are other phases: they are left out as far as they
// cannot lie before LIO's beginning. nullopt: the phases of the wire are not known.
std::optional<uint64_t> BackendNs(const lunscope_command_record& wire, const InnerPart& lio);

}  // namespace lunscope
