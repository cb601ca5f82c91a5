// SPDX-License-Identifier: Apache-2.0
#include "collector/run/capture_source.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace lunscope {
namespace {

constexpr uint64_t kPacketsPerDrain = 4096;

}  // namespace

Result<std::unique_ptr<CaptureSource>> CaptureSource::Open(const CaptureOptions& options) {
  Result<std::unique_ptr<CaptureFile>> file = CaptureFile::Open(options.file);
  if (!file.ok()) return file.error();
  return std::unique_ptr<CaptureSource>(new CaptureSource(options, std::move(file.value())));
}

CaptureSource::CaptureSource(const CaptureOptions& options, std::unique_ptr<CaptureFile> file)
    : file_(std::move(file)),
      stop_after_(options.stop_after),
      watch_{options.role.initiators, options.role.targets, options.emit_headers,
             [this](const lunscope_record& record) { (*handler_)(record); }},
      connections_(options.ports.ports, &watch_) {}

bool CaptureSource::HasEnough() const { return stop_after_ && Commands().reported >= *stop_after_; }

void CaptureSource::Drain(const Handler& handler) {
  handler_ = &handler;
  TcpSegment segment;
  for (uint64_t packets = 0; packets < kPacketsPerDrain && !is_done_; packets++) {
    if (HasEnough()) {
      is_done_ = true;
    } else if (file_->Next(&segment)) {
      connections_.Take(segment);
    } else {
      is_done_ = true;
      connections_.GiveUp();
    }
  }
  handler_ = nullptr;
}

Status CaptureSource::Walk(const Handler& on_record, const CommandHandler& /*on_command*/) {
  connections_.Walk(on_record);
  return Nothing{};
}

void CaptureSource::Describe(Observation& observation) const {
  observation.has_iscsi = true;
  observation.is_offline = true;
  observation.totals = watch_.totals;
  observation.now_ns = now_ns();
  observation.tracked_commands_limit = LUNSCOPE_TRACKED_COMMANDS;
}

std::string CaptureSource::CountsText() const {
  const CaptureCounts& counts = file_->counts();
  std::string text = fmt::format("{} packets read", counts.packets);
  const auto add = [&](uint64_t count, const char* what) {
    if (count != 0) fmt::format_to(std::back_inserter(text), ", {} {}", count, what);
  };
  for (size_t kind = 1; kind < kPacketKinds; kind++)
    add(counts.by_kind[kind], kPacketKindNames[kind]);
  add(counts.cut_payloads, "cut by the snap length");
  add(file_->packets().out_of_order() - file_->packets().late(), "out of order");
  add(file_->packets().late(), "too late to be put in order");
  uint64_t gaps = 0;
  for (const uint64_t count : watch_.totals.gaps) gaps += count;
  add(gaps, gaps == 1 ? "gap" : "gaps");
  add(watch_.totals.untracked_connections, "of too many connections");
  return text;
}

Status CaptureSource::Ended() const { return file_->Ended(); }

}  // namespace lunscope
