// SPDX-License-Identifier: Apache-2.0
//
// One command, seen twice on the host of its initiator: by the SCSI mid-layer, and as PDUs on the
// wire. Nothing that both tell names it (the mid-layer's hooks come before a task tag is given and
// after it is taken back), but what they tell leaves no room for doubt that would matter: target,
// LUN and all 16 bytes of the CDB are the same, both clocks are one, and the time on the wire lies
// within that of the mid-layer. Of two equal CDBs at the same time either may be taken for the
// other; every sum is the same then.
//
// Rejected: reading the task tag from libiscsi in between, which takes a hook on a module's
// function that a kernel under lockdown does not allow.
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

class WireJoin {
 public:
  // Commands on the wire that wait for the mid-layer's record of them, of one LUN, and such LUNs.
  // Those of initiators in user space wait in vain, until others push them out.
  static constexpr size_t kMaxWaiting = 2048;
  static constexpr size_t kMaxLuns = 1024;

  // A command on the wire. REQUIRES: its record is applied before that of the mid-layer.
  void Put(const std::string& target, const lunscope_command_record& wire);

  // How long this command of the mid-layer was on the wire; it is not found a second time.
  std::optional<uint64_t> Take(const std::string& target, const lunscope_command_record& command);

 private:
  struct Wire {
    uint64_t start_ns;
    uint64_t end_ns;
    std::array<uint8_t, ISCSI_CDB_BYTES> cdb;
  };

  // First in, first out, but that any can be taken. Its memory grows to what it has held at once
  // and is kept: a record takes no allocation.
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

  // By target and LUN. Found without making a std::string.
  using Key = std::pair<std::string, uint64_t>;
  using KeyView = std::pair<std::string_view, uint64_t>;
  struct Less {
    using is_transparent = void;
    bool operator()(const KeyView& a, const KeyView& b) const { return a < b; }
  };

  Queue* QueueOf(const std::string& target, uint64_t lun);

  std::map<Key, Queue, Less> waiting_;
  size_t empty_ = 0;  // of them, kept for their memory until another LUN needs the place
};

}  // namespace lunscope
