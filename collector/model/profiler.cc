// SPDX-License-Identifier: Apache-2.0
#include "collector/model/profiler.h"

#include <algorithm>
#include <span>
#include <tuple>

#include "collector/model/cdb.h"

namespace lunscope {
namespace {

bool TransfersBlocks(scsi_operation operation) {
  return operation == SCSI_OPERATION_READ || operation == SCSI_OPERATION_WRITE;
}

// The blocks that a read or write is about; without blocks if the CDB does not say which.
Extent ExtentOf(std::span<const uint8_t> cdb, const Applied& applied) {
  if (!TransfersBlocks(applied.operation)) return {};
  const auto lba = LbaOf(cdb, applied.device_type);
  const auto blocks = BlocksOf(cdb, applied.device_type);
  return lba && blocks ? Extent{*lba, *blocks} : Extent{};
}

uint32_t BlockBytesOf(const Connection& connection, const LunStatistics& lun) {
  const LunIdentity* said = lun.IdentityAt(connection.portal);
  return said != nullptr ? said->block_bytes : 0;
}

}  // namespace

void Profiler::Add(const Connection& connection, LunStatistics& lun,
                   const lunscope_command_record& record, const Applied& applied) {
  const bool is_beyond = record.no_status == 1 + LUNSCOPE_UNREPORTED_BEYOND_WINDOW;
  if (!applied.verdict.is_end() || is_beyond) return;
  const std::span<const uint8_t> cdb = CdbOf(record, applied);
  const bool is_one_lun = TrustsIdentity(connection, lun);
  const Extent extent = ExtentOf(cdb, applied);
  LunProfile& profile = lun.profile.Ensure();
  OperationProfile& operation = profile.operations[applied.operation].Ensure();
  if (extent.blocks != 0) {
    operation.alignments[AlignmentOf(extent, is_one_lun ? BlockBytesOf(connection, lun) : 0)]++;
    if (AsksForFua(cdb, applied.device_type)) operation.fua++;
  }
  if (!is_one_lun) {
    profile.unordered[kSharedLun]++;
    return;
  }
  const uint64_t end_ns = record.header.time_ns;
  Wait({end_ns - std::min(end_ns, record.duration_ns), end_ns, extent, record.cmdsn,
        static_cast<uint8_t>(applied.operation)},
       profile);
}

void Profiler::Wait(const Begun& command, LunProfile& profile) {
  if (IsStepBack(latest_ns_, command.end_ns)) {
    Sort();
    Release([](const Waiting&) { return true; });
    latest_ns_ = 0;
  }
  latest_ns_ = std::max(latest_ns_, command.end_ns);
  if (waiting_.size() == kRoom) {
    Sort();
    const uint64_t middle_ns = waiting_[kRoom / 2].command.start_ns;
    Release([middle_ns](const Waiting& each) { return each.command.start_ns <= middle_ns; });
  }
  waiting_.push_back({command, &profile});
}

void Profiler::Settle() {
  Sort();
  Release([](const Waiting& each) { return each.command.start_ns <= each.profile->horizon_ns; });
}

void Profiler::Settle(LunProfile& profile) {
  Sort();
  Release([&profile](const Waiting& each) { return each.profile == &profile; });
  profile.sweep.Finish(profile.depth);
}

// Commands that one segment brought began at the same time. Their initiator numbered them.
void Profiler::Sort() {
  std::ranges::sort(waiting_, {}, [](const Waiting& each) {
    return std::tuple(each.command.start_ns, each.command.cmdsn);
  });
}

template <typename IsDue>
void Profiler::Release(const IsDue& is_due) {
  size_t kept = 0;
  for (const Waiting& each : waiting_) {
    if (is_due(each)) {
      each.profile->Begin(each.command);
    } else {
      waiting_[kept++] = each;
    }
  }
  waiting_.resize(kept);
}

}  // namespace lunscope
