// SPDX-License-Identifier: Apache-2.0
//
// Whole records from a stream of bytes that is read in pieces of any length. bpf_seq_write() puts
// records one behind the other, and a read() may end within one.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace lunscope {

// More than any record has.
inline constexpr size_t kLongestRecord = size_t{1} << 16;

class RecordStream {
 public:
  // Called with each whole record. The bytes are valid during the call.
  using Take = std::function<void(const void* record, size_t bytes)>;

  // Begin a stream, and forget what one before it has left.
  void Begin() { filled_ = 0; }
  // Where to put the next bytes. Empty if the stream has a record longer than kLongestRecord.
  std::span<char> room() { return std::span(buffer_).subspan(filled_); }
  // So many bytes are now in room(). Hand on each record that is whole, and keep the rest.
  void Advance(size_t bytes, const Take& take);
  // The stream has ended. Hand on what is left, which is not a whole record, as one.
  void End(const Take& take);

 private:
  std::vector<char> buffer_ = std::vector<char>(kLongestRecord);
  size_t filled_ = 0;
};

}  // namespace lunscope
