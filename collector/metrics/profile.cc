// SPDX-License-Identifier: Apache-2.0
//
// The workload profile of LUNs (--profile).
#include <algorithm>
#include <array>

#include "collector/metrics/catalogue.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

using enum prometheus::MetricType;
using enum Unit;
using enum Available;

struct EachProfile {
  using Item = LunProfile;
  static constexpr std::array kLabels = {&kRoleLabel, &kTargetLabel, &kLunLabel};
  // As Walk(), with labels that may grow.
  template <typename Visit>
  static void WalkProfiles(const View& view, const Visit& visit) {
    WalkLuns(view, LunRoles::kBoth, [&](Labels& labels, const LunStatistics& lun) {
      if (lun.profile) visit(labels, *lun.profile);
    });
  }
  static void Walk(const View& view, const ItemVisitor<Item>& visit) { WalkProfiles(view, visit); }
};

struct EachUnordered {
  using Item = uint64_t;
  static constexpr std::array kLabels = {&kRoleLabel, &kTargetLabel, &kLunLabel,
                                         static_cast<const Label*>(&kUnorderedLabel)};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    EachProfile::WalkProfiles(view, [&](Labels& labels, const LunProfile& profile) {
      for (size_t reason = 0; reason < profile.unordered.size(); reason++) {
        const Scoped scoped(labels, kUnorderedLabel, kUnorderedLabel.value_of(reason));
        visit(labels, profile.unordered[reason]);
      }
    });
  }
};

struct EachProfiledOperation {
  using Item = OperationProfile;
  static constexpr std::array kLabels = {&kRoleLabel, &kTargetLabel, &kLunLabel, &kOperationLabel};
  template <typename Visit>
  static void WalkOperations(const View& view, const Visit& visit) {
    EachProfile::WalkProfiles(view, [&](Labels& labels, const LunProfile& profile) {
      for (size_t i = 0; i < profile.operations.size(); i++) {
        if (!profile.operations[i]) continue;
        const Scoped scoped(labels, kOperationLabel, OperationLabel(i));
        visit(labels, *profile.operations[i]);
      }
    });
  }
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkOperations(view, visit);
  }
};

// Some of the operation's commands say which blocks they are about.
bool HasExtents(const OperationProfile& profile) {
  return std::ranges::any_of(profile.alignments, [](uint64_t count) { return count != 0; });
}

// Some of them were compared with a command before. A LUN label that stands for several LUNs has
// none.
bool HasSeeks(const OperationProfile& profile) {
  return std::ranges::any_of(profile.seeks,
                             [](const SeekHistogram& seeks) { return seeks.count() != 0; });
}

bool HasInterarrivals(const OperationProfile& profile) {
  return profile.interarrival_ns.count() != 0;
}

bool HasDepth(const LunProfile& profile) {
  return std::ranges::any_of(profile.depth.counts(), [](uint64_t count) { return count != 0; });
}

struct EachSeek {
  using Item = SeekHistogram;
  static constexpr std::array kLabels = {&kRoleLabel, &kTargetLabel, &kLunLabel, &kOperationLabel,
                                         static_cast<const Label*>(&kSeekDirectionLabel)};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    EachProfiledOperation::WalkOperations(view, [&](Labels& labels, const OperationProfile& each) {
      if (!HasSeeks(each)) return;
      for (size_t direction = 0; direction < each.seeks.size(); direction++) {
        const Scoped scoped(labels, kSeekDirectionLabel, kSeekDirectionLabel.value_of(direction));
        visit(labels, each.seeks[direction]);
      }
    });
  }
};

struct EachAlignment {
  using Item = uint64_t;
  static constexpr std::array kLabels = {&kRoleLabel, &kTargetLabel, &kLunLabel, &kOperationLabel,
                                         static_cast<const Label*>(&kAlignmentLabel)};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    EachProfiledOperation::WalkOperations(view, [&](Labels& labels, const OperationProfile& each) {
      if (!HasExtents(each)) return;
      for (size_t alignment = 0; alignment < each.alignments.size(); alignment++) {
        const Scoped scoped(labels, kAlignmentLabel, kAlignmentLabel.value_of(alignment));
        visit(labels, each.alignments[alignment]);
      }
    });
  }
};

using EachTransfer = Where<EachProfiledOperation, &HasExtents>;

constexpr Metric kProfileMetrics[] = {
    {"seek_distance_blocks", Histogram, kCount, kProfile,
     "Blocks from the last block of the command before, a read or a write, to the first block of "
     "this one. Forward 1 is the next block.",
     Of<EachSeek>()},
    {"interarrival_seconds", Histogram, kSeconds, kProfile,
     "Time from the start of the LUN's command before, of any operation, to the start of this one.",
     Of<Where<EachProfiledOperation, &HasInterarrivals>, &OperationProfile::interarrival_ns>()},
    {"queue_depth", Histogram, kCount, kProfile,
     "Commands of the LUN in flight. Each microsecond counts once, so that the sum divided by the "
     "count is the mean over time.",
     Of<Where<EachProfile, &HasDepth>, &LunProfile::depth>()},
    {"sequential_commands_total", Counter, kCount, kProfile,
     "Reads and writes that begin where one of the 16 before them ended.",
     Of<Where<EachProfiledOperation, &HasSeeks>, &OperationProfile::sequential>()},
    {"commands_by_alignment_total", Counter, kCount, kProfile,
     "Reads and writes by whether they begin and end at multiples of 4 KiB.", Of<EachAlignment>()},
    {"fua_commands_total", Counter, kCount, kProfile,
     "Reads and writes with the bit FUA, which the device must not answer from its cache alone.",
     Of<EachTransfer, &OperationProfile::fua>()},
    {"unordered_commands_total", Counter, kCount, kProfile,
     "Commands that seek distance, interarrival time, sequential commands or queue depth leave "
     "out, by reason.",
     Of<EachUnordered>()},
};

}  // namespace

std::span<const Metric> ProfileMetrics() { return kProfileMetrics; }

}  // namespace lunscope
