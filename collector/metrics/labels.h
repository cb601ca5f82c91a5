// SPDX-License-Identifier: Apache-2.0
//
// The labels of the metrics, with their values explained. A label is declared once, in labels.cc,
// here, or in the file of the one topic that has it; a scope (scopes.h) names the labels that its
// series have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lunscope {

struct LabelValue {
  std::string value;
  std::string help;
};

struct Label {
  const char* name;
  const char* help;
  // The values that are known beforehand; nullptr if no value is.
  std::vector<LabelValue> (*values)() = nullptr;
  // The label has no other value.
  bool is_closed = false;
  // A metric has the label only as the twin of another (metric.h).
  bool is_of_layers_only = false;
};

// A label whose values are codes of the wire, in words; a code without a name is its number in hex.
struct CodeLabel : Label {
  std::string (*value_of)(uint8_t code);
};

// A label whose values are the reasons of a list in include/lunscope, by their numbers there.
struct ReasonLabel : Label {
  const char* (*value_of)(size_t reason);
};

// The places of a command.
extern const Label kRoleLabel;
extern const Label kTransportLabel;
extern const Label kTargetLabel;
extern const Label kLunLabel;
extern const Label kOperationLabel;
extern const Label kPhaseLabel;

// A LUN's identity; the outcome of its commands.
extern const Label kVendorLabel;
extern const Label kModelLabel;
extern const Label kSerialLabel;
extern const Label kWwidLabel;
extern const Label kDeviceLabel;
extern const Label kMultipathLabel;
extern const Label kMountsLabel;
extern const Label kStatusLabel;
extern const Label kSenseKeyLabel;
extern const Label kHostStatusLabel;

// Sessions and connections.
extern const Label kSessionLabel;
extern const Label kInitiatorLabel;
extern const Label kPortalLabel;
extern const Label kHeaderDigestLabel;
extern const Label kDataDigestLabel;
extern const Label kCommLabel;
extern const Label kGuestLabel;
extern const Label kInitiatorGuestLabel;
extern const Label kCgroupLabel;
extern const Label kNetworkNamespaceLabel;
extern const Label kNameSourceLabel;

// PDUs.
extern const CodeLabel kLoginFailureLabel;
extern const CodeLabel kLogoutReasonLabel;
extern const CodeLabel kRejectReasonLabel;
extern const CodeLabel kTaskFunctionLabel;
extern const CodeLabel kAsyncEventLabel;
extern const CodeLabel kOpcodeLabel;

// Reasons.
extern const ReasonLabel kUnreportedLabel;
extern const ReasonLabel kSyncLabel;
extern const ReasonLabel kScsiUnreportedLabel;
extern const ReasonLabel kRefusalLabel;
extern const ReasonLabel kLossLabel;
extern const ReasonLabel kHttpRefusalLabel;
extern const ReasonLabel kEventKindLabel;
extern const ReasonLabel kEndLabel;
extern const ReasonLabel kDuringLabel;
extern const ReasonLabel kPingSenderLabel;
extern const ReasonLabel kTakenFromLabel;

// The workload profile.
extern const ReasonLabel kSeekDirectionLabel;
extern const ReasonLabel kAlignmentLabel;
extern const ReasonLabel kUnorderedLabel;

// lunscope itself.
extern const Label kProgramLabel;
extern const Label kBufferLabel;
extern const Label kVersionLabel;
extern const Label kRevisionLabel;
extern const Label kLibbpfLabel;

// Values that other files use.
inline constexpr const char* kTargetFailureStatus = "target_failure";
inline constexpr const char* kHostErrorStatus = "host_error";
inline constexpr const char* kNoSenseData = "none";
inline constexpr const char* kIscsiBuffer = "events";
inline constexpr const char* kScsiBuffer = "scsi";
inline constexpr const char* kMalformed = "malformed";
const char* DigestLabelValue(bool is_used);  // "crc32c", "none"
std::string LunLabelValue(uint64_t lun);     // "1", "overflow"

}  // namespace lunscope
