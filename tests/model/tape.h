// SPDX-License-Identifier: Apache-2.0
// Records in a row, as in a ring. A Host makes them before a measurement begins, and the
// measurement plays them many times.
#pragma once

#include <lunscope/command.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "collector/base/record.h"
#include "tests/model/host.h"

namespace lunscope {

class Tape {
 public:
  void Add(const lunscope_record& record) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&record);
    bytes_.insert(bytes_.end(), bytes, bytes + record.bytes);
    records_++;
  }
  // Keep the records of the host from now on. REQUIRES: the tape lives as long as the host.
  void Record(Host& host) {
    host.HandOn([this](const lunscope_record& record) { Add(record); });
  }

  template <typename Take>
  void Play(Take&& take) const {
    for (size_t at = 0; at < bytes_.size();) {
      const lunscope_record& record = RecordAt(&bytes_[at]);
      take(record);
      at += record.bytes;
    }
  }
  [[nodiscard]] size_t records() const { return records_; }

 private:
  std::vector<uint8_t> bytes_;
  size_t records_ = 0;
};

}  // namespace lunscope
