// SPDX-License-Identifier: Apache-2.0
//
// Records that wait, in the order in which they came, each with the time at which it did. Memory is
// kept for the next ones. One thread.
#pragma once

#include <lunscope/records.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "collector/base/record.h"

namespace lunscope {

class RecordQueue {
 public:
  void Push(const lunscope_record& record, uint64_t now_ns) {
    const size_t at = bytes_.size();
    bytes_.resize(at + sizeof(now_ns) + Padded(record.bytes));
    std::memcpy(&bytes_[at], &now_ns, sizeof(now_ns));
    std::memcpy(&bytes_[at + sizeof(now_ns)], &record, record.bytes);
    size_++;
  }

  [[nodiscard]] bool empty() const { return first_ == bytes_.size(); }
  [[nodiscard]] size_t size() const { return size_; }  // records
  [[nodiscard]] size_t bytes() const { return bytes_.size() - first_; }
  // REQUIRES, for all below: !empty(). Good until the next call of Push() or Pop().
  [[nodiscard]] const lunscope_record& Front() const {
    return RecordAt(&bytes_[first_ + sizeof(uint64_t)]);
  }
  [[nodiscard]] uint64_t FrontTimeNs() const {
    uint64_t time_ns = 0;
    std::memcpy(&time_ns, &bytes_[first_], sizeof(time_ns));
    return time_ns;
  }
  void Pop() {
    first_ += sizeof(uint64_t) + Padded(Front().bytes);
    size_--;
    if (!empty()) return;
    bytes_.clear();
    first_ = 0;
  }

 private:
  // Records are read where they lie, so each begins at a multiple of 8.
  static size_t Padded(size_t bytes) { return (bytes + 7) & ~size_t{7}; }

  std::vector<char> bytes_;
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace lunscope
