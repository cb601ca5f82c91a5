// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/record_stream.h"

#include <lunscope/aggregate.h>

#include <cstring>

namespace lunscope {

static_assert(sizeof(lunscope_aggregates_record) <= kLongestRecord);
static_assert(sizeof(lunscope_inflight_record) <= kLongestRecord);

void RecordStream::Advance(size_t bytes, const Take& take) {
  filled_ += bytes;
  size_t at = 0;
  while (filled_ - at >= sizeof(lunscope_record)) {
    lunscope_record header;
    std::memcpy(&header, buffer_.data() + at, sizeof(header));
    if (header.bytes < sizeof(header) || header.bytes > filled_ - at) break;
    take(buffer_.data() + at, header.bytes);
    at += header.bytes;
  }
  filled_ -= at;
  std::memmove(buffer_.data(), buffer_.data() + at, filled_);
}

void RecordStream::End(const Take& take) {
  if (filled_ != 0) take(buffer_.data(), filled_);
  filled_ = 0;
}

}  // namespace lunscope
