// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/capture_files.h"

#include <filesystem>
#include <system_error>
#include <utility>

namespace lunscope {
namespace {

// A pipe or standard input cannot be opened a second time.
bool MayBeOpenedAgain(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

void Add(CaptureCounts* sum, const CaptureCounts& counts) {
  sum->packets += counts.packets;
  sum->cut_payloads += counts.cut_payloads;
  sum->order.out_of_order += counts.order.out_of_order;
  sum->order.late += counts.order.late;
  sum->order.steps_back += counts.order.steps_back;
  sum->order.stepped_back_ns += counts.order.stepped_back_ns;
  for (size_t kind = 0; kind < kPacketKinds; kind++) sum->by_kind[kind] += counts.by_kind[kind];
}

}  // namespace

Result<std::unique_ptr<CaptureFiles>> CaptureFiles::Open(const std::vector<std::string>& paths) {
  auto files = std::unique_ptr<CaptureFiles>(new CaptureFiles());
  for (const std::string& path : paths) {
    Result<std::unique_ptr<CaptureFile>> file = CaptureFile::Open(path);
    if (!file.ok()) return file.error();
    files->files_.push_back({path, std::move(file.value())});
    if (files->files_.size() > 1 && MayBeOpenedAgain(path)) files->files_.back().open.reset();
  }
  return files;
}

CaptureFile* CaptureFiles::Current() {
  File& file = files_[current_];
  if (file.open) return file.open.get();
  Result<std::unique_ptr<CaptureFile>> opened = CaptureFile::Open(file.path);
  if (!opened.ok()) {
    EndCurrent(opened.error());
    return nullptr;
  }
  file.open = std::move(opened.value());
  return file.open.get();
}

void CaptureFiles::EndCurrent(Status ended) {
  File& file = files_[current_];
  if (file.open) Add(&ended_counts_, file.open->counts());
  file.open.reset();
  if (ended_.ok() && !ended.ok()) ended_ = std::move(ended);
  current_++;
}

bool CaptureFiles::Next(TcpSegment* segment) {
  while (current_ < files_.size()) {
    CaptureFile* file = Current();
    if (file == nullptr) continue;
    const bool is_there = file->Next(segment);
    last_time_ns_ = file->last_time_ns();
    if (is_there) return true;
    EndCurrent(file->Ended());
  }
  return false;
}

CaptureCounts CaptureFiles::counts() const {
  CaptureCounts sum = ended_counts_;
  if (current_ < files_.size() && files_[current_].open) Add(&sum, files_[current_].open->counts());
  return sum;
}

}  // namespace lunscope
