// SPDX-License-Identifier: Apache-2.0
//
// Finds the command of the SCSI mid-layer among the commands on the wire of the same host.
//
// No number is in both records: the mid-layer's hooks run before the task tag is given and after it
// is taken back. Instead target, LUN and all 16 bytes of the CDB must be equal, and the time on the
// wire must lie within that of the mid-layer; both records use one clock. Two equal CDBs at the
// same time may be taken for each other, which changes no sum.
//
// Rejected: to read the task tag from libiscsi in between. That takes a hook on a function of a
// module, which a kernel under lockdown does not allow.
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

// The part of a mid-layer's command that was on the wire.
struct OnWire {
  uint64_t queued_ns;  // before: the host's queue
  uint64_t wire_ns;
  uint64_t completion_ns;  // behind: the status is read, and the mid-layer completes the command
  // The phases of the wire, by slot (include/lunscope/phases.h). Bit i: that of slot i is known.
  std::array<uint64_t, LUNSCOPE_PHASE_SLOTS> phase_ns;
  uint8_t known_phases;
};

class WireJoin {
 public:
  // Limits of the commands that wait for the mid-layer's record, for one LUN, and of such LUNs. A
  // command of an initiator in user space waits until others push it out.
  static constexpr size_t kMaxWaiting = 2048;
  static constexpr size_t kMaxLuns = 1024;

  // A command on the wire. REQUIRES: it comes before the mid-layer's record of the same command.
  void Put(const std::string& target, const lunscope_command_record& wire);

  // When this command of the mid-layer was on the wire. It is not found a second time.
  std::optional<OnWire> Take(const std::string& target, const lunscope_command_record& command);

 private:
  struct Wire {
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
    Wire& operator[](size_t i) { return ring_[(first_ + i) & (ring_.size() - 1)]; }
    void Push(const Wire& wire);
    void PopFront();
    void Take(size_t i);

   private:
    std::vector<Wire> ring_;  // a power of two
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

}  // namespace lunscope
