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
  // paths: in the order of time; one at least. Each of them is opened, so that a wrong name is an
  // error before anything is shown. Then a file on disk is closed until its turn comes: a ring may
  // have thousands.
  static Result<std::unique_ptr<CaptureFiles>> Open(const std::vector<std::string>& paths);

  // The next TCP segment, as CaptureFile::Next(). A file that is damaged ends where the damage is.
  bool Next(TcpSegment* segment);
  // REQUIRES: Next() returned false. The first error of a file.
  [[nodiscard]] Status Ended() const { return ended_; }

  [[nodiscard]] CaptureCounts counts() const;
  [[nodiscard]] uint64_t last_time_ns() const { return last_time_ns_; }

 private:
  struct File {
    std::string path;
    std::unique_ptr<CaptureFile> open;  // nullptr: its turn has not come, or is over
  };

  CaptureFiles() = default;

  // The file whose turn it is; nullptr if it cannot be opened any more.
  CaptureFile* Current();
  void EndCurrent(Status ended);

  std::vector<File> files_;
  size_t current_ = 0;
  CaptureCounts ended_counts_;  // of the files whose turn is over
  uint64_t last_time_ns_ = 0;
  Status ended_ = Nothing{};
};

}  // namespace lunscope
