// SPDX-License-Identifier: Apache-2.0
//
// Capture files that follow each other, as dumpcap and tcpdump write them in a ring: one row of
// packets. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "collector/replay/capture_file.h"

namespace lunscope {

class CaptureFiles {
 public:
  // paths: in the order of time; one at least. All of them are opened at once, so that a wrong name
  // is an error before anything is shown.
  static Result<std::unique_ptr<CaptureFiles>> Open(const std::vector<std::string>& paths);

  // The next TCP segment, as CaptureFile::Next(). A file that is damaged ends where the damage is.
  bool Next(TcpSegment* segment);
  // REQUIRES: Next() returned false. The first error of a file.
  [[nodiscard]] Status Ended() const { return ended_; }

  [[nodiscard]] CaptureCounts counts() const;
  [[nodiscard]] uint64_t last_time_ns() const { return last_time_ns_; }

 private:
  CaptureFiles() = default;

  std::vector<std::unique_ptr<CaptureFile>> files_;
  size_t current_ = 0;
  uint64_t last_time_ns_ = 0;
  Status ended_ = Nothing{};
};

}  // namespace lunscope
