// SPDX-License-Identifier: Apache-2.0
#include "collector/metrics/labels.h"

#include <fmt/format.h>
#include <lunscope/reasons.h>
#include <lunscope/scsi.h>

#include <iterator>

#include "collector/base/endpoint_counts.h"
#include "collector/base/event_kinds.h"
#include "collector/model/model.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

struct Explained {
  const char* value;
  const char* help;
};

template <const auto& table>
std::vector<LabelValue> ValuesOf() {
  std::vector<LabelValue> values;
  for (const Explained& each : table) values.push_back({each.value, each.help});
  return values;
}

template <const auto& table>
const char* ValueOf(size_t reason) {
  return table[reason].value;
}

// The codes that have a name.
template <CodeName name_of, std::string (*value_of)(uint8_t)>
std::vector<LabelValue> CodeValues() {
  std::vector<LabelValue> values;
  for (uint32_t code = 0; code < 256; code++) {
    if (const std::string_view name = name_of(code); !name.empty())
      values.push_back(
          {value_of(static_cast<uint8_t>(code)), fmt::format("{} ({:#04x})", name, code)});
  }
  return values;
}

std::vector<LabelValue> OperationValues() {
  constexpr const char* kHelp[] = {
      "Reads of blocks.",
      "Writes of blocks, for example WRITE, WRITE SAME or COMPARE AND WRITE.",
      "SYNCHRONIZE CACHE.",
      "UNMAP.",
      "Commands about the device, for example INQUIRY, MODE SENSE or REPORT LUNS.",
      "All other commands.",
  };
  static_assert(std::size(kHelp) == SCSI_OPERATIONS);
  std::vector<LabelValue> values;
  for (size_t i = 0; i < SCSI_OPERATIONS; i++) values.push_back({OperationLabel(i), kHelp[i]});
  return values;
}

std::vector<LabelValue> PhaseValues() {
#define LUNSCOPE_PHASE_VALUE(name, role, slot, label, help) {label, help},
  return {LUNSCOPE_PHASES(LUNSCOPE_PHASE_VALUE)};
#undef LUNSCOPE_PHASE_VALUE
}

std::vector<LabelValue> StatusValues() {
  std::vector<LabelValue> values = CodeValues<&ScsiStatusName, &StatusLabel>();
  values.push_back({kTargetFailureStatus,
                    "The iSCSI response says that the target failed; there is no SCSI status."});
  values.push_back({kHostErrorStatus,
                    "The SCSI mid-layer has a host status for it; the SCSI status means nothing."});
  return values;
}

std::vector<LabelValue> LoginFailureValues() {
  std::vector<LabelValue> values;
  for (uint8_t i = 0; i < kLoginFailures; i++)
    values.push_back({LoginFailureLabel(i), fmt::format("{}.", LoginFailureName(i))});
  return values;
}

std::vector<LabelValue> SenseKeyValues() {
  constexpr uint8_t kSenseKeys = 16;
  std::vector<LabelValue> values;
  for (uint8_t key = 0; key < kSenseKeys; key++)
    values.push_back({SenseKeyLabel(key), fmt::format("Sense key {:#x}.", key)});
  values.push_back(
      {kNoSenseData, "The status is not CHECK CONDITION, or no sense data came with it."});
  return values;
}

std::vector<LabelValue> EventKindValues() {
  std::vector<LabelValue> values;
  for (const EventKindRow& row : kEventKindRows) values.push_back({row.label, row.help});
  return values;
}

const char* EventKindLabel(size_t row) { return kEventKindRows[row].label; }

constexpr Explained kRoles[] = {
    {"initiator", "This host sends the SCSI commands."},
    {"target", "This host receives the SCSI commands."},
};

constexpr Explained kStandInTargets[] = {
    {kUnknownName, "lunscope did not see the login, and this host does not know the name."},
    {kDiscoveryName, "Discovery sessions, which have no target."},
    {kOverflowName, "All targets and LUNs for which --max-label-sets has no room, together."},
};

constexpr Explained kOverflowLuns[] = {
    {kOverflowName, "All LUNs for which --max-label-sets has no room, together."},
};

constexpr Explained kOverflowSessions[] = {
    {kOverflowName, "All sessions for which --max-label-sets has no room, together."},
};

constexpr Explained kStandInInitiators[] = {
    {kUnknownName, "lunscope did not see the login, and this host does not know the name."},
    {kOverflowName, "All initiators or sessions for which --max-label-sets has no room, together."},
};

constexpr Explained kSeveralGuestsHelp[] = {
    {kSeveralGuests, "Several guests use this initiator name, or have no room for a series."},
};

constexpr Explained kOverflowProcesses[] = {
    {kOverflowName, "All processes for which --max-label-sets has no room, together."},
};

constexpr Explained kPingSenderValues[] = {
    {"initiator", "The initiator, with a NOP-Out."},
    {"target", "The target, with a NOP-In."},
};
static_assert(std::size(kPingSenderValues) == kPingSenders);

constexpr Explained kTakenFromValues[] = {
    {"same_address", "The login came from the address that the session before had."},
    {"other_address", "The login came from another address: perhaps two hosts have one name."},
};
static_assert(std::size(kTakenFromValues) == kTakenFroms);

constexpr Explained kDuringValues[] = {
    {"unknown", "The connection was open before lunscope, and its login was not seen."},
    {"connect", "The peer had not accepted the connection, or never did."},
    {"before_login", "Nobody had begun to log in."},
    {"unanswered_login", "The target had not answered the last Login Request."},
    {"login", "The login had begun, and the target had answered the last Login Request."},
    {"turned_away", "The target had refused the login, or sent the initiator to another address."},
    {"session", "The initiator was logged in."},
    {"after_logout", "The initiator had logged out."},
};
static_assert(std::size(kDuringValues) == kDurings);

constexpr Explained kSeekDirectionValues[] = {
    {"forward", "To a higher block."},
    {"backward", "To the last block of the command before, or to a lower one."},
};
static_assert(std::size(kSeekDirectionValues) == kSeekDirections);

constexpr Explained kAlignmentValues[] = {
    {"aligned", "The command begins and ends at multiples of 4 KiB."},
    {"unaligned", "It begins or ends elsewhere."},
    {"unknown",
     "lunscope has not seen the LUN's answer to READ CAPACITY, which has the size of a "
     "block."},
};
static_assert(std::size(kAlignmentValues) == kAlignments);

constexpr Explained kUnorderedValues[] = {
    {"late", "It was in flight while 32,768 commands of this host or more began and ended."},
    {"shared_lun",
     "Its LUN or its target stands for several, so the command before it may be of "
     "another LUN."},
    {"too_deep", "4,096 commands of its LUN were in flight. Only the queue depth leaves it out."},
};
static_assert(std::size(kUnorderedValues) == kUnorderedReasons);

constexpr Explained kDigests[] = {
    {"crc32c", "The session uses the digest."},
    {"none", "The session does not use the digest."},
};

constexpr Explained kBuffers[] = {
    {kIscsiBuffer, "The ring of the programs that watch iSCSI."},
    {kScsiBuffer, "The ring of the programs that watch the SCSI layers."},
};

// The reasons of include/lunscope/reasons.h, by their numbers there.
#define LUNSCOPE_EXPLAINED(name, label, help) {label, help},
constexpr Explained kUnreported[] = {LUNSCOPE_UNREPORTED_REASONS(LUNSCOPE_EXPLAINED)};
constexpr Explained kSync[] = {LUNSCOPE_SYNC_REASONS(LUNSCOPE_EXPLAINED)};
constexpr Explained kScsiUnreported[] = {LUNSCOPE_SCSI_UNREPORTED_REASONS(LUNSCOPE_EXPLAINED)};
constexpr Explained kRefusals[] = {LUNSCOPE_SCSI_REFUSALS(LUNSCOPE_EXPLAINED)};
constexpr Explained kEnds[] = {LUNSCOPE_ENDS(LUNSCOPE_EXPLAINED)};
constexpr Explained kLosses[] = {
    LUNSCOPE_LOSS_REASONS(LUNSCOPE_EXPLAINED){
        kMalformed, "The record had an unknown kind or a wrong size, and was not used."},
};
constexpr Explained kHttpRefusalHelp[] = {LUNSCOPE_HTTP_REFUSALS(LUNSCOPE_EXPLAINED)};
#undef LUNSCOPE_EXPLAINED

}  // namespace

constexpr Label kRoleLabel = {
    "role",
    "The role of this host. A host with both ends of a connection has series for each end; do not "
    "add them up.",
    &ValuesOf<kRoles>, true};
constexpr Label kTransportLabel = {"transport",
                                   "The driver or fabric that carries the commands: the low-level "
                                   "driver below the mid-layer (role "
                                   "initiator) or the fabric above LIO (role target).",
                                   nullptr, false, true};
constexpr Label kTargetLabel = {"target",
                                "The name of the iSCSI target. If lunscope did not see the login, "
                                "the name comes from this host "
                                "(see lunscope_inferred_connections). In lunscope_scsi_*: "
                                "host:channel:id, or the name that the "
                                "iSCSI session or LIO has.",
                                &ValuesOf<kStandInTargets>};
constexpr Label kLunLabel = {
    "lun", "The LUN in decimal if its addressing method has a number, else its 8 bytes in hex.",
    &ValuesOf<kOverflowLuns>};
constexpr Label kOperationLabel = {"operation", "The kind of the command, by its operation code.",
                                   &OperationValues, true};
constexpr Label kPhaseLabel = {"phase", "The part of a command's time, and whose time it is.",
                               &PhaseValues, true};

constexpr Label kVendorLabel = {"vendor", "T10 vendor identification, from INQUIRY data."};
constexpr Label kModelLabel = {"model", "Product identification, from INQUIRY data."};
constexpr Label kSerialLabel = {"serial", "The unit serial number, from INQUIRY data."};
constexpr Label kWwidLabel = {
    "wwid", "The name of the logical unit in the world, from INQUIRY data, as sysfs writes it."};
constexpr Label kDeviceLabel = {
    "device",
    "The disk as the kernel names it, such as sdb; of a target the path that LIO serves."};
constexpr Label kMultipathLabel = {
    "multipath", "The multipath map that has the disk as a path; empty if none has."};
constexpr Label kMountsLabel = {
    "mounts",
    "Up to 8 mount points, with commas between them: of the disk and what is built of it."};
constexpr Label kStatusLabel = {"status", "The SCSI status.", &StatusValues};
constexpr Label kSenseKeyLabel = {"sense_key", "The sense key of the sense data.", &SenseKeyValues,
                                  true};
constexpr Label kHostStatusLabel = {"host_status",
                                    "The host status (enum scsi_host_status of Linux).",
                                    &CodeValues<&ScsiHostStatusName, &HostStatusLabel>};

constexpr Label kSessionLabel = {"session", "ISID and TSIH of the session, in hex.",
                                 &ValuesOf<kOverflowSessions>};
constexpr Label kInitiatorLabel = {"initiator",
                                   "The name of the iSCSI initiator. If lunscope did not see the "
                                   "login, the name comes from this host.",
                                   &ValuesOf<kStandInInitiators>};
constexpr Label kPortalLabel = {"portal", "IP address and TCP port of the target."};
constexpr Label kHeaderDigestLabel = {"header_digest", "The negotiated header digest.",
                                      &ValuesOf<kDigests>, true};
constexpr Label kDataDigestLabel = {"data_digest", "The negotiated data digest.",
                                    &ValuesOf<kDigests>, true};
constexpr Label kCommLabel = {"comm",
                              "The command name of the process that reads the connection; empty if "
                              "it is not known.",
                              &ValuesOf<kOverflowProcesses>};
constexpr Label kGuestLabel = {"guest",
                               "The guest that the process runs, if it is QEMU; else empty."};
constexpr Label kInitiatorGuestLabel = {"guest", "The name of the guest, as QEMU has it.",
                                        &ValuesOf<kSeveralGuestsHelp>};
constexpr Label kCgroupLabel = {"cgroup",
                                "The control group (v2) of the process; empty if it is not known."};
constexpr Label kNetworkNamespaceLabel = {
    "network_namespace", "The network namespace of the socket; empty if it is lunscope's own."};
constexpr Label kNameSourceLabel = {"source",
                                    "The source of the names: sysfs, configfs or tgtadm."};

constexpr CodeLabel kLoginFailureLabel = {
    {"status", "The status of the Login Response (RFC 7143 section 11.13.5).", &LoginFailureValues,
     true},
    &LoginFailureLabel};
constexpr CodeLabel kLogoutReasonLabel = {
    {"reason", "The reason of the Logout Request (RFC 7143 section 11.14.1).",
     &CodeValues<&LogoutReasonName, &LogoutReasonLabel>},
    &LogoutReasonLabel};
constexpr CodeLabel kRejectReasonLabel = {
    {"reason", "The reason of the Reject PDU (RFC 7143 section 11.17.1).",
     &CodeValues<&RejectReasonName, &RejectLabel>},
    &RejectLabel};
constexpr CodeLabel kTaskFunctionLabel = {
    {"function", "The function of the request (RFC 7143 section 11.5.1, RFC 7144).",
     &CodeValues<&TaskFunctionName, &TaskFunctionLabel>},
    &TaskFunctionLabel};
constexpr CodeLabel kAsyncEventLabel = {
    {"event", "The event of the message (RFC 7143 section 11.9.1).",
     &CodeValues<&AsyncEventName, &AsyncEventLabel>},
    &AsyncEventLabel};
constexpr CodeLabel kOpcodeLabel = {{"opcode", "The opcode of the PDU (RFC 7143 section 11.2.1.2).",
                                     &CodeValues<&OpcodeName, &OpcodeLabel>},
                                    &OpcodeLabel};

constexpr ReasonLabel kUnreportedLabel = {
    {"reason", "Why the command is not reported with a status.", &ValuesOf<kUnreported>, true},
    &ValueOf<kUnreported>};
constexpr ReasonLabel kSyncLabel = {
    {"reason", "Why PDU boundaries were not known.", &ValuesOf<kSync>, true}, &ValueOf<kSync>};
constexpr ReasonLabel kScsiUnreportedLabel = {
    {"reason", "Why the command has no record.", &ValuesOf<kScsiUnreported>, true},
    &ValueOf<kScsiUnreported>};
constexpr ReasonLabel kRefusalLabel = {
    {"reason", "The reason that the low-level driver gave.", &ValuesOf<kRefusals>, true},
    &ValueOf<kRefusals>};
constexpr ReasonLabel kLossLabel = {
    {"reason", "Why the record was lost.", &ValuesOf<kLosses>, true}, &ValueOf<kLosses>};
constexpr ReasonLabel kHttpRefusalLabel = {
    {"reason", "Why the request was refused.", &ValuesOf<kHttpRefusalHelp>, true},
    &ValueOf<kHttpRefusalHelp>};

constexpr ReasonLabel kEventKindLabel = {
    {"event", "The kind of the event: the key `event` in JSON.", &EventKindValues, true},
    &EventKindLabel};

constexpr ReasonLabel kEndLabel = {
    {"end", "How the connection ended, as this host saw it.", &ValuesOf<kEnds>, true},
    &ValueOf<kEnds>};
constexpr ReasonLabel kDuringLabel = {
    {"during", "How far the connection had come.", &ValuesOf<kDuringValues>, true},
    &ValueOf<kDuringValues>};

constexpr ReasonLabel kTakenFromLabel = {
    {"from", "The address of the login, beside that of the session before.",
     &ValuesOf<kTakenFromValues>, true},
    &ValueOf<kTakenFromValues>};

constexpr ReasonLabel kPingSenderLabel = {
    {"sender", "The end that sent the ping.", &ValuesOf<kPingSenderValues>, true},
    &ValueOf<kPingSenderValues>};

constexpr ReasonLabel kSeekDirectionLabel = {
    {"direction", "The direction of the seek.", &ValuesOf<kSeekDirectionValues>, true},
    &ValueOf<kSeekDirectionValues>};
constexpr ReasonLabel kAlignmentLabel = {
    {"alignment", "The alignment of the command.", &ValuesOf<kAlignmentValues>, true},
    &ValueOf<kAlignmentValues>};
constexpr ReasonLabel kUnorderedLabel = {
    {"reason", "Why the place of the command among the others is not known.",
     &ValuesOf<kUnorderedValues>, true},
    &ValueOf<kUnorderedValues>};

constexpr Label kProgramLabel = {"program", "The name of the BPF program."};
constexpr Label kBufferLabel = {"buffer", "The ring buffer between the kernel and the collector.",
                                &ValuesOf<kBuffers>, true};
constexpr Label kVersionLabel = {"version", "The version of lunscope."};
constexpr Label kRevisionLabel = {"revision", "The revision of the source that it was built from."};
constexpr Label kLibbpfLabel = {"libbpf", "The version of libbpf."};

const char* DigestLabelValue(bool is_used) { return kDigests[is_used ? 0 : 1].value; }

std::string LunLabelValue(uint64_t lun) {
  return lun == kOverflowLun ? std::string(kOverflowName) : FormatLun(lun);
}

}  // namespace lunscope
