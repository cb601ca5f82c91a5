// SPDX-License-Identifier: Apache-2.0
//
// Commands and LUNs, of iSCSI and of the SCSI layers.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collector/metrics/catalogue.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

using enum prometheus::MetricType;
using enum Unit;
using enum Available;

// The identities of LUNs, for each portal that leads to them.
template <typename Visit>
void WalkIdentities(const View& view, const Visit& visit) {
  WalkLuns(view, LunRoles::kBoth, [&](Labels& labels, const LunStatistics& lun) {
    const auto visit_one = [&](const LunIdentity& identity) {
      const Scoped portal(labels, kPortalLabel, identity.portal.Text());
      visit(labels, identity);
    };
    visit_one(lun.identity);
    std::ranges::for_each(lun.elsewhere, visit_one);
  });
}

// The labels that name a device, for as long as this lives.
struct ScopedName {
  ScopedName(Labels& labels, const LunIdentity& identity)
      : vendor(labels, kVendorLabel, identity.vendor),
        model(labels, kModelLabel, identity.product) {}

  Scoped vendor;
  Scoped model;
};

struct EachLunIdentity {
  using Item = LunIdentity;
  static constexpr std::array kLabels = {&kRoleLabel, &kTargetLabel, &kLunLabel, &kPortalLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkIdentities(view, visit);
  }
};

struct EachLunName {
  using Item = LunIdentity;
  static constexpr std::array kLabels = {&kRoleLabel,   &kTargetLabel, &kLunLabel,    &kPortalLabel,
                                         &kVendorLabel, &kModelLabel,  &kSerialLabel, &kWwidLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkIdentities(view, [&](Labels& labels, const LunIdentity& identity) {
      if (identity.vendor.empty()) return;
      const ScopedName name(labels, identity);
      const Scoped serial(labels, kSerialLabel, identity.serial);
      const Scoped wwid(labels, kWwidLabel, identity.wwid);
      visit(labels, identity);
    });
  }
};

// The devices below the mid-layer. No portal leads to them.
struct EachDeviceName {
  using Item = LunIdentity;
  static constexpr std::array kLabels = {&kRoleLabel, &kTransportLabel, &kTargetLabel,
                                         &kLunLabel,  &kVendorLabel,    &kModelLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkLuns(view, LunRoles::kInitiator, [&](Labels& labels, const LunStatistics& lun) {
      if (lun.identity.vendor.empty()) return;
      const ScopedName name(labels, lun.identity);
      visit(labels, lun.identity);
    });
  }
};

// The operations on a target, all of its LUNs together.
struct EachTargetOperation {
  using Item = SizeHistogram;
  static constexpr std::array kLabels = {&kRoleLabel, &kTransportLabel, &kTargetLabel,
                                         &kOperationLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkTargets(view, [&](Labels& labels, const TargetKey&, const TargetStatistics& target) {
      for (size_t i = 0; i < target.sizes.size(); i++) {
        if (target.sizes[i].count() == 0) continue;
        const Scoped scoped(labels, kOperationLabel, OperationLabel(i));
        visit(labels, target.sizes[i]);
      }
    });
  }
};

// The initiators of each target, all LUNs and operations together.
struct EachInitiator {
  using Item = InitiatorStatistics;
  static constexpr std::array kLabels = {&kRoleLabel, &kTargetLabel, &kInitiatorLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    for (const auto& [key, initiator] : view.observation.snapshot.initiators)
      visit(InitiatorLabels(key), initiator);
  }
};

// The phases of the operations on a target, as far as they are known.
struct EachTargetPhase {
  using Item = LatencyHistogram;
  static constexpr std::array kLabels = {&kRoleLabel, &kTargetLabel, &kPhaseLabel,
                                         &kOperationLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkTargets(view, [&](Labels& labels, const TargetKey& key, const TargetStatistics& target) {
      for (uint32_t slot = 0; slot < LUNSCOPE_PHASE_SLOTS; slot++) {
        const Scoped phase(labels, kPhaseLabel, PhaseLabel(lunscope_phase_of(key.role, slot)));
        WalkOperations(labels, target, slot, visit);
      }
    });
  }

  static void WalkOperations(Labels& labels, const TargetStatistics& target, uint32_t slot,
                             const ItemVisitor<Item>& visit) {
    for (size_t i = 0; i < target.phases.size(); i++) {
      if (!target.phases[i] || (*target.phases[i])[slot].count() == 0) continue;
      const Scoped operation(labels, kOperationLabel, OperationLabel(i));
      visit(labels, (*target.phases[i])[slot]);
    }
  }
};

// The errors of a LUN by status and sense key. Those that tell of trouble have a series with 0 from
// the beginning, so that the first one is an increase of a counter.
struct EachCommandError {
  using Item = uint64_t;
  using Code = std::pair<uint8_t, std::optional<uint8_t>>;
  // SPC-5 table 49 and SAM-5 table 33.
  static constexpr std::array kTrouble = {
      Code{SCSI_STATUS_CHECK_CONDITION, 0x02},  // not ready
      Code{SCSI_STATUS_CHECK_CONDITION, 0x03},  // medium error
      Code{SCSI_STATUS_CHECK_CONDITION, 0x04},  // hardware error
      Code{SCSI_STATUS_CHECK_CONDITION, 0x05},  // illegal request
      Code{SCSI_STATUS_CHECK_CONDITION, 0x06},  // unit attention
      Code{SCSI_STATUS_CHECK_CONDITION, 0x07},  // data protect
      Code{SCSI_STATUS_CHECK_CONDITION, 0x0b},  // aborted command
      Code{0x08, std::nullopt},                 // busy
      Code{0x18, std::nullopt},                 // reservation conflict
      Code{0x28, std::nullopt},                 // task set full
      Code{0x40, std::nullopt},                 // task aborted
  };
  struct CodeLabels {
    explicit CodeLabels(const Code& code)
        : status(StatusLabel(code.first)),
          sense_key(code.second ? SenseKeyLabel(*code.second) : kNoSenseData) {}
    std::string status;
    std::string sense_key;
  };
  static constexpr std::array kLabels = {&kRoleLabel, &kTransportLabel, &kTargetLabel,
                                         &kLunLabel,  &kStatusLabel,    &kSenseKeyLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkLuns(view, LunRoles::kBoth, [&](Labels& labels, const LunStatistics& lun) {
      WalkLun(labels, lun, view.source == SeriesSource::kScsiLayers, visit);
    });
  }

  static void WalkLun(Labels& labels, const LunStatistics& lun, bool is_of_layer,
                      const ItemVisitor<Item>& visit) {
    const auto add = [&](const std::string& status, const std::string& sense_key, uint64_t count) {
      const Scoped scoped_status(labels, kStatusLabel, status);
      const Scoped scoped_key(labels, kSenseKeyLabel, sense_key);
      visit(labels, count);
    };
    // Each LUN has these series in each scrape, so their labels are made once.
    static const std::vector<CodeLabels> kTroubleLabels(kTrouble.begin(), kTrouble.end());
    for (size_t i = 0; i < kTrouble.size(); i++) {
      const auto found = lun.errors.find(kTrouble[i]);
      add(kTroubleLabels[i].status, kTroubleLabels[i].sense_key,
          found == lun.errors.end() ? 0 : found->second);
    }
    for (const auto& [code, count] : lun.errors) {
      if (std::ranges::find(kTrouble, code) != kTrouble.end()) continue;
      const CodeLabels of_code(code);
      add(of_code.status, of_code.sense_key, count);
    }
    if (!is_of_layer) return add(kTargetFailureStatus, kNoSenseData, lun.target_failures);
    uint64_t host_errors = 0;
    for (const auto& [host_status, count] : lun.host_errors) host_errors += count;
    add(kHostErrorStatus, kNoSenseData, host_errors);
  }
};

// The commands of a LUN that ended without a status, by reason. An abort and the end of a
// connection have a series with 0 from the beginning.
struct EachNoStatus {
  using Item = uint64_t;
  static constexpr std::array kLabels = {&kRoleLabel, &kTransportLabel, &kTargetLabel, &kLunLabel,
                                         static_cast<const Label*>(&kUnreportedLabel)};
  static constexpr std::array<uint8_t, 2> kFromTheBeginning = {
      LUNSCOPE_UNREPORTED_ABORTED, LUNSCOPE_UNREPORTED_CONNECTION_CLOSED};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkLuns(view, LunRoles::kBoth, [&](Labels& labels, const LunStatistics& lun) {
      for (const auto& [reason, count] : WithZeros(lun.no_status, kFromTheBeginning)) {
        const Scoped scoped(labels, kUnreportedLabel, kUnreportedLabel.value_of(reason));
        visit(labels, count);
      }
    });
  }
};

// Mount points in one label. A comma in one of them is an escape.
std::string MountLabelValue(const LocalLun& lun) {
  std::string text;
  for (const std::string& mount : lun.mounts) {
    if (!text.empty()) text += ',';
    for (const char c : mount) text += c == ',' ? "\\x2c" : std::string(1, c);
  }
  return lun.more_mounts == 0 ? text : text + ",...";
}

// The disks and the storage of this host that are behind LUNs.
struct EachLocalLun {
  using Item = LocalLun;
  static constexpr std::array kLabels = {&kRoleLabel,   &kTargetLabel,    &kLunLabel,
                                         &kDeviceLabel, &kMultipathLabel, &kMountsLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    for (const auto& [target, luns] : view.observation.snapshot.local_luns) {
      for (const auto& [lun, local] : luns) {
        Labels labels = RoleLabels(target.role);
        labels.push_back({kTargetLabel.name, target.name});
        labels.push_back({kLunLabel.name, LunLabelValue(lun)});
        labels.push_back({kDeviceLabel.name, local.device});
        labels.push_back({kMultipathLabel.name, local.multipath});
        labels.push_back({kMountsLabel.name, MountLabelValue(local)});
        visit(labels, local);
      }
    }
  }
};

uint64_t Commands(const OperationStatistics& operation) { return operation.duration_ns.count(); }

uint64_t OldestAge(const LunStatistics& lun, const View& view) {
  return AgeNs(lun.oldest_start_ns, view);
}

bool HasCapacity(const LunIdentity& identity) { return identity.capacity_bytes != 0; }
bool KnowsWriteProtection(const LunIdentity& identity) {
  return identity.write_protected.has_value();
}
uint64_t WriteProtected(const LunIdentity& identity) { return *identity.write_protected ? 1 : 0; }
bool KnowsProvisioning(const LunIdentity& identity) { return identity.thin.has_value(); }
uint64_t ThinProvisioned(const LunIdentity& identity) { return *identity.thin ? 1 : 0; }

constexpr Metric kCommandMetrics[] = {
    {"commands_total", Counter, kCount, kIscsi, "SCSI commands completed, from their status PDU.",
     Of<EachOperation, &Commands>(),
     Twin{"Commands completed at a SCSI layer; a retry is one more."}},
    {"command_errors_total", Counter, kCount, kIscsi,
     "SCSI commands that ended with an error, by status and sense key. CONDITION MET is success.",
     Of<EachCommandError>(),
     Twin{"Commands of a SCSI layer that failed, by status and sense key."}},
    {"commands_without_status_total", Counter, kCount, kIscsi,
     "SCSI commands that ended without a status, by reason. They count in no other metric of a "
     "LUN.",
     Of<EachNoStatus>()},
    {"command_duration_seconds", Histogram, kSeconds, kIscsi,
     "Time from a command PDU to its status PDU, both as this end of the connection saw them.",
     Of<EachOperation, &OperationStatistics::duration_ns>(),
     Twin{
         "Time from the dispatch of a command to a low-level driver (initiator), or from its CDB's "
         "arrival at LIO (target), to its status."}},
    {"command_phase_seconds", Histogram, kSeconds, kIscsi,
     "Time that commands spent in each phase, on the host that lunscope runs on. The phases of a "
     "command add up to its duration; `pickup` comes behind it.",
     Of<EachTargetPhase>()},
    {"command_size_bytes", Histogram, kBytes, kIscsi,
     "Data transferred by a command, from its data segments.", Of<EachTargetOperation>(),
     Twin{"Data transferred by a command of a SCSI layer."}},
    {"read_bytes_total", Counter, kBytes, kIscsi,
     "Bytes in Data-In data segments of completed commands.",
     Of<EachLun, &LunStatistics::read_bytes>(),
     Twin{"Bytes that commands of a SCSI layer have read."}},
    {"written_bytes_total", Counter, kBytes, kIscsi,
     "Bytes in immediate and Data-Out data segments of completed commands.",
     Of<EachLun, &LunStatistics::written_bytes>(),
     Twin{"Bytes that commands of a SCSI layer have written."}},
    {"initiator_commands_total", Counter, kCount, kIscsi,
     "SCSI commands completed, by initiator. The sum is that of lunscope_commands_total.",
     Of<EachInitiator, &InitiatorStatistics::commands>()},
    {"initiator_command_seconds_total", Counter, kSeconds, kIscsi,
     "Durations of completed commands, added up. Divided by the commands it is their mean "
     "duration.",
     Of<EachInitiator, &InitiatorStatistics::duration_ns>()},
    {"initiator_read_bytes_total", Counter, kBytes, kIscsi,
     "Bytes in Data-In data segments of completed commands, by initiator.",
     Of<EachInitiator, &InitiatorStatistics::read_bytes>()},
    {"initiator_written_bytes_total", Counter, kBytes, kIscsi,
     "Bytes in immediate and Data-Out data segments of completed commands, by initiator.",
     Of<EachInitiator, &InitiatorStatistics::written_bytes>()},
    {"outstanding_commands", Gauge, kCount, kIscsi,
     "Commands that wait for their status at the time of the scrape. A command above the target's "
     "MaxCmdSN does not: the target ignores it.",
     Of<EachLun, &LunStatistics::outstanding>(),
     Twin{"Commands of a SCSI layer in flight at the time of the scrape."}},
    {"oldest_outstanding_command_seconds", Gauge, kSeconds, kIscsi,
     "Age of the oldest command without a status; 0 if every command has one.",
     Of<EachLun, &OldestAge>(),
     Twin{"Age of the oldest command in flight at a SCSI layer; 0 if no command is in flight."}},
    {"lun_info", Gauge, kInfo, kIscsi,
     "Vendor, model and names of a LUN, from its INQUIRY data through this portal; always 1. A "
     "name is empty until an initiator asks for it.",
     InfoOf<EachLunName>(),
     Twin{"Vendor and model of a SCSI device, from the kernel; always 1.",
          InfoOf<EachDeviceName>()}},
    {"lun_local_info", Gauge, kInfo, kLiveIscsi,
     "A LUN on this host: the initiator's disk, or the storage that the target serves; always 1. A "
     "LUN "
     "with several paths has a series for each disk.",
     InfoOf<EachLocalLun>()},
    {"lun_capacity_bytes", Gauge, kBytes, kIscsi,
     "Capacity of a LUN, from READ CAPACITY data through this portal.",
     Of<Where<EachLunIdentity, &HasCapacity>, &LunIdentity::capacity_bytes>()},
    {"lun_write_protected", Gauge, kCount, kIscsi,
     "1 if a LUN takes no writes, else 0; from MODE SENSE data through this portal.",
     Of<Where<EachLunIdentity, &KnowsWriteProtection>, &WriteProtected>()},
    {"lun_thin_provisioned", Gauge, kCount, kIscsi,
     "1 if a LUN manages which of its blocks have storage (LBPME), else 0; from READ CAPACITY(16) "
     "data through this portal.",
     Of<Where<EachLunIdentity, &KnowsProvisioning>, &ThinProvisioned>()},
};

}  // namespace

std::span<const Metric> CommandMetrics() { return kCommandMetrics; }

}  // namespace lunscope
