// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/capture_files.h"

#include <utility>

namespace lunscope {

Result<std::unique_ptr<CaptureFiles>> CaptureFiles::Open(const std::vector<std::string>& paths) {
  auto files = std::unique_ptr<CaptureFiles>(new CaptureFiles());
  for (const std::string& path : paths) {
    Result<std::unique_ptr<CaptureFile>> file = CaptureFile::Open(path);
    if (!file.ok()) return file.error();
    files->files_.push_back(std::move(file.value()));
  }
  return files;
}

bool CaptureFiles::Next(TcpSegment* segment) {
  while (current_ < files_.size()) {
    CaptureFile& file = *files_[current_];
    const bool is_there = file.Next(segment);
    last_time_ns_ = file.last_time_ns();
    if (is_there) return true;
    Status ended = file.Ended();
    if (ended_.ok() && !ended.ok()) ended_ = std::move(ended);
    current_++;
  }
  return false;
}

CaptureCounts CaptureFiles::counts() const {
  CaptureCounts sum;
  for (const auto& file : files_) {
    const CaptureCounts counts = file->counts();
    sum.packets += counts.packets;
    sum.cut_payloads += counts.cut_payloads;
    sum.out_of_order += counts.out_of_order;
    sum.late += counts.late;
    for (size_t kind = 0; kind < kPacketKinds; kind++) sum.by_kind[kind] += counts.by_kind[kind];
  }
  return sum;
}

}  // namespace lunscope
