// SPDX-License-Identifier: Apache-2.0
// A fuzz target: a function that takes any bytes, and the inputs from which a search starts.
// Two programs use this one table. entry.cc is libFuzzer's, and needs clang. corpus_test.cc is a
// unit test for any compiler, which replays the seeds and their mutations.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#include "tests/vectors/bytes.h"

namespace lunscope {

struct FuzzTarget {
  const char* name;
  void (*run)(std::span<const uint8_t> input);
  std::vector<Bytes> (*seeds)();
};

extern const FuzzTarget kStreamTarget;   // segments in any order: stream.h, connection.h
extern const FuzzTarget kPairingTarget;  // PDUs on few tags: command.h, abort.h
extern const FuzzTarget kTextTarget;     // negotiation text: text.h, model/text_reader.h
extern const FuzzTarget kSecretsTarget;  // authentication, cut and lost: connection.h
extern const FuzzTarget kReadersTarget;  // CDBs, sense, INQUIRY, LUNs: scsi.h, model/lun.h
extern const FuzzTarget kLinesTarget;    // records as lines and metrics: lines/, metrics/
extern const FuzzTarget kReplayTarget;   // capture files: replay/
extern const FuzzTarget kSeriesTarget;   // names that come and go: model/series.h
extern const FuzzTarget kConfigTarget;   // web configuration, addresses: web/
extern const FuzzTarget kHttpTarget;     // requests: web/endpoint.h

// Ends the program with an abort, which libFuzzer and ctest report as a finding.
inline void Check(bool is_so, std::string_view what) {
  if (is_so) return;
  std::fprintf(stderr, "not so: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

inline bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// The input, read from its front. Behind its end are zeros.
class Input {
 public:
  explicit Input(std::span<const uint8_t> bytes) : left_(bytes) {}

  [[nodiscard]] bool empty() const { return left_.empty(); }
  [[nodiscard]] size_t size() const { return left_.size(); }
  uint8_t Byte() {
    const std::span<const uint8_t> byte = Take(1);
    return byte.empty() ? 0 : byte[0];
  }
  uint16_t Word() { return static_cast<uint16_t>(Number(2)); }
  uint64_t Number(size_t bytes) {
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++) number = number << 8 | Byte();
    return number;
  }
  // At most as many bytes as are left.
  std::span<const uint8_t> Take(size_t bytes) {
    const std::span<const uint8_t> taken = left_.first(std::min(bytes, left_.size()));
    left_ = left_.subspan(taken.size());
    return taken;
  }
  // The same in memory of its own, so that a sanitizer finds a read behind it.
  Bytes Copy(size_t bytes) {
    const std::span<const uint8_t> taken = Take(bytes);
    return {taken.begin(), taken.end()};
  }

 private:
  std::span<const uint8_t> left_;
};

}  // namespace lunscope
