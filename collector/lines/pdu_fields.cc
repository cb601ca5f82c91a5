// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/pdu_fields.h"

#include <lunscope/iscsi.h>

#include <bit>

namespace lunscope {
namespace {

using Condition = bool (*)(const uint8_t* bhs);

constexpr uint8_t kTttOffset = 20;

// ---- forms ----

// A field as the RFC draws it: bytes at an offset.
constexpr PduField Bytes(const char* name, uint8_t offset, uint8_t bytes, FieldForm form,
                         Condition is_there = nullptr) {
  return {name, nullptr, is_there, ~uint32_t{0}, offset, bytes, form};
}
constexpr PduField Number(const char* name, uint8_t offset, uint8_t bytes, CodeName names = nullptr,
                          Condition is_there = nullptr) {
  return {name, names, is_there, ~uint32_t{0}, offset, bytes, FieldForm::kNumber};
}
constexpr PduField Word(const char* name, uint8_t offset, Condition is_there = nullptr) {
  return Number(name, offset, 4, nullptr, is_there);
}
constexpr PduField Bits(const char* name, uint8_t offset, uint8_t mask, CodeName names = nullptr,
                        Condition is_there = nullptr) {
  return {name, names, is_there, mask, offset, 1, FieldForm::kNumber};
}
// In byte 1, where nothing else is said.
constexpr PduField Flag(const char* name, uint8_t mask, Condition is_there = nullptr,
                        uint8_t offset = 1) {
  return {name, nullptr, is_there, mask, offset, 1, FieldForm::kFlag};
}
constexpr PduField Lun(Condition is_there = nullptr) {
  return Bytes("lun", 8, 8, FieldForm::kLun, is_there);
}

// ---- conditions ----

constexpr uint8_t kLoginSuccess = 0;

bool HasTtt(const uint8_t* bhs) { return lunscope_be32(bhs + kTttOffset) != ISCSI_RESERVED_TAG; }

// Section 11.4.3: other responses say that there is no SCSI status.
bool IsCompleted(const uint8_t* bhs) { return iscsi_response(bhs) == 0; }
bool HasSnackTag(const uint8_t* bhs) { return lunscope_be32(bhs + kTttOffset) != 0; }
bool HasResidual(const uint8_t* bhs) {
  return (iscsi_flags(bhs) & (ISCSI_RESIDUAL_UNDERFLOW | ISCSI_RESIDUAL_OVERFLOW)) != 0;
}
bool HasBidiResidual(const uint8_t* bhs) {
  return (iscsi_flags(bhs) & (ISCSI_BIDI_UNDERFLOW | ISCSI_BIDI_OVERFLOW)) != 0;
}

enum TaskResponse : uint8_t { kFunctionSucceeded = 7 };

// Section 11.5.3, RFC 7144: functions that address a logical unit.
bool AddressesLun(const uint8_t* bhs) {
  switch (iscsi_task_function(bhs)) {
    case ISCSI_TASK_ABORT_TASK:
    case ISCSI_TASK_ABORT_TASK_SET:
    case ISCSI_TASK_CLEAR_ACA:
    case ISCSI_TASK_CLEAR_TASK_SET:
    case ISCSI_TASK_LUN_RESET:
    case ISCSI_TASK_QUERY_TASK:
    case ISCSI_TASK_QUERY_TASK_SET:
    case ISCSI_TASK_QUERY_ASYNC_EVENT: return true;
    default: return false;
  }
}
bool AbortsTask(const uint8_t* bhs) { return iscsi_task_function(bhs) == ISCSI_TASK_ABORT_TASK; }
bool ReassignsTask(const uint8_t* bhs) { return iscsi_task_function(bhs) == ISCSI_TASK_REASSIGN; }
bool IsFunctionSucceeded(const uint8_t* bhs) { return iscsi_response(bhs) == kFunctionSucceeded; }

// Section 11.12.3: NSG is only valid with T. Section 6.3.1: a reject has neither stage.
bool IsTransit(const uint8_t* bhs) { return (iscsi_flags(bhs) & ISCSI_FLAG_FINAL) != 0; }
bool IsLoggingIn(const uint8_t* bhs) { return iscsi_login_status_class(bhs) == kLoginSuccess; }
bool IsLoggingInWithTransit(const uint8_t* bhs) { return IsLoggingIn(bhs) && IsTransit(bhs); }

// Section 11.12.5: what follows the type of an ISID depends on it.
enum IsidType : uint8_t { kOui = 0, kReservedIsid = 3 };
bool HasOui(const uint8_t* bhs) { return iscsi_isid(bhs)[0] >> 6 == kOui; }
bool HasNamingAuthority(const uint8_t* bhs) { return iscsi_isid(bhs)[0] >> 6 != kReservedIsid; }

constexpr uint8_t kAcknowledge = 0x40;  // A of Data-In, section 11.7.2
bool IsAcknowledgeAsked(const uint8_t* bhs) { return (iscsi_flags(bhs) & kAcknowledge) != 0; }
bool HasStatus(const uint8_t* bhs) { return (iscsi_flags(bhs) & ISCSI_DATA_IN_STATUS) != 0; }
bool HasStatusAndResidual(const uint8_t* bhs) { return HasStatus(bhs) && HasResidual(bhs); }

bool ClosesOneConnection(const uint8_t* bhs) {
  return iscsi_logout_reason(bhs) != ISCSI_LOGOUT_CLOSE_SESSION;
}
// Section 11.15.3
bool KnowsCid(const uint8_t* bhs) { return iscsi_logout_response(bhs) != 1; }

// Section 11.16.1
enum SnackType : uint8_t { kStatusSnack = 1, kRDataSnack = 3 };
constexpr uint8_t kSnackTypeMask = 0x0f;
uint8_t SnackType(const uint8_t* bhs) { return iscsi_flags(bhs) & kSnackTypeMask; }
bool IsRData(const uint8_t* bhs) { return SnackType(bhs) == kRDataSnack; }
bool IsNotRData(const uint8_t* bhs) { return SnackType(bhs) != kRDataSnack; }
bool IsOfTask(const uint8_t* bhs) { return SnackType(bhs) != kStatusSnack; }

// Section 11.9.1. What the parameters of an event are that is not in the RFC is not known, so they
// are shown.
enum AsyncEvent : uint8_t {
  kScsiEvent = 0,
  kLogoutRequestEvent = 1,
  kConnectionDrop = 2,
  kSessionDrop = 3,
  kNegotiationRequest = 4,
  kTaskTermination = 5,
  kFirstVendorEvent = 248,
};
bool IsOfLun(const uint8_t* bhs) {
  const uint8_t event = iscsi_async_event(bhs);
  return event == kScsiEvent || event == kTaskTermination;
}
bool IsVendorEvent(const uint8_t* bhs) { return iscsi_async_event(bhs) >= kFirstVendorEvent; }
bool HasParameter1(const uint8_t* bhs) {
  const uint8_t event = iscsi_async_event(bhs);
  return event == kConnectionDrop || event > kTaskTermination;
}
bool HasParameter2(const uint8_t* bhs) {
  return HasParameter1(bhs) || iscsi_async_event(bhs) == kSessionDrop;
}
bool HasParameter3(const uint8_t* bhs) {
  const uint8_t event = iscsi_async_event(bhs);
  return HasParameter2(bhs) || event == kLogoutRequestEvent || event == kNegotiationRequest;
}

// Section 11.17.2
bool IsProtocolError(const uint8_t* bhs) { return iscsi_reject_reason(bhs) == 4; }

// ---- fields of several opcodes ----

constexpr PduField kImmediate = Flag("immediate", 0x40, nullptr, 0);
constexpr PduField kFinal = Flag("final", ISCSI_FLAG_FINAL);
constexpr PduField kContinue = Flag("continue", ISCSI_FLAG_CONTINUE);
constexpr PduField kItt = Word("itt", 16);
constexpr PduField kTtt = Word("ttt", kTttOffset);
constexpr PduField kCmdSn = Word("cmdsn", 24);
constexpr PduField kExpStatSn = Word("exp_statsn", 28);
constexpr PduField kStatSn = Word("statsn", 24);
constexpr PduField kExpCmdSn = Word("exp_cmdsn", 28);
constexpr PduField kMaxCmdSn = Word("max_cmdsn", 32);
constexpr PduField kDataSn = Word("datasn", 36);
constexpr PduField kBufferOffset = Word("buffer_offset", 40);
constexpr PduField kOverflow = Flag("residual_overflow", ISCSI_RESIDUAL_OVERFLOW);
constexpr PduField kUnderflow = Flag("residual_underflow", ISCSI_RESIDUAL_UNDERFLOW);
constexpr PduField kVersionMax = Number("version_max", 2, 1);
constexpr PduField kIsid = Bytes("isid", 8, 6, FieldForm::kHex);
constexpr PduField kIsidT = Bits("isid_t", 8, 0xc0, IsidTypeName);
constexpr PduField kIsidA = Bits("isid_a", 8, 0x3f, nullptr, HasOui);
constexpr PduField kIsidB = Number("isid_b", 9, 2, nullptr, HasNamingAuthority);
constexpr PduField kIsidC = Number("isid_c", 11, 1, nullptr, HasNamingAuthority);
constexpr PduField kIsidD = Number("isid_d", 12, 2, nullptr, HasNamingAuthority);
constexpr PduField kTsih = Number("tsih", 14, 2);

// ---- the opcodes ----

constexpr PduField kNopOut[] = {kImmediate, kFinal, Lun(HasTtt), kItt, kTtt, kCmdSn, kExpStatSn};

constexpr PduField kScsiCommand[] = {
    kImmediate,
    kFinal,
    Flag("read", ISCSI_COMMAND_READ),
    Flag("write", ISCSI_COMMAND_WRITE),
    Bits("attr", 1, 0x07, TaskAttributeName),
    Bits("pri", 2, 0xf0),  // RFC 7144
    Lun(),
    kItt,
    Word("expected_data_transfer_length", 20),
    kCmdSn,
    kExpStatSn,
    Bytes("cdb", 32, ISCSI_CDB_BYTES, FieldForm::kCdb),
};

constexpr PduField kTaskRequest[] = {
    kImmediate,
    kFinal,
    Bits("function", 1, 0x7f, TaskFunctionName),
    Lun(AddressesLun),
    kItt,
    Word("referenced_task_tag", 20),
    kCmdSn,
    kExpStatSn,
    Word("ref_cmdsn", 32, AbortsTask),
    Word("exp_datasn", 36, ReassignsTask),
};

constexpr PduField kLoginRequest[] = {
    kImmediate,
    Flag("transit", ISCSI_FLAG_FINAL),
    kContinue,
    Bits("csg", 1, 0x0c, LoginStageName),
    Bits("nsg", 1, 0x03, LoginStageName, IsTransit),
    kVersionMax,
    Number("version_min", 3, 1),
    kIsid,
    kIsidT,
    kIsidA,
    kIsidB,
    kIsidC,
    kIsidD,
    kTsih,
    kItt,
    Number("cid", 20, 2),
    kCmdSn,
    kExpStatSn,
};

constexpr PduField kTextRequest[] = {kImmediate, kFinal, kContinue, Lun(HasTtt),
                                     kItt,       kTtt,   kCmdSn,    kExpStatSn};

constexpr PduField kDataOut[] = {kFinal,     Lun(HasTtt), kItt,         kTtt,
                                 kExpStatSn, kDataSn,     kBufferOffset};

constexpr PduField kLogoutRequest[] = {
    kImmediate,
    kFinal,
    Bits("reason_code", 1, 0x7f, LogoutReasonName),
    kItt,
    Number("cid", 20, 2, nullptr, ClosesOneConnection),
    kCmdSn,
    kExpStatSn,
};

constexpr PduField kSnackRequest[] = {
    kFinal,
    Bits("type", 1, kSnackTypeMask, SnackTypeName),
    Lun(IsOfTask),
    kItt,
    Word("ttt", kTttOffset, IsNotRData),
    Word("snack_tag", kTttOffset, IsRData),
    kExpStatSn,
    Word("begrun", 40),
    Word("runlength", 44),
};

constexpr PduField kNopIn[] = {kFinal, Lun(HasTtt), kItt, kTtt, kStatSn, kExpCmdSn, kMaxCmdSn};

constexpr PduField kScsiResponse[] = {
    kFinal,
    Flag("bidirectional_read_residual_overflow", ISCSI_BIDI_OVERFLOW),
    Flag("bidirectional_read_residual_underflow", ISCSI_BIDI_UNDERFLOW),
    kOverflow,
    kUnderflow,
    Number("response", 2, 1, ScsiResponseName),
    Number("status", 3, 1, ScsiStatusName, IsCompleted),
    Number("status_qualifier", 8, 2, nullptr, IsCompleted),  // RFC 7144
    kItt,
    Word("snack_tag", kTttOffset, HasSnackTag),
    kStatSn,
    kExpCmdSn,
    kMaxCmdSn,
    Word("exp_datasn", 36, IsCompleted),
    Word("bidirectional_read_residual_count", 40, HasBidiResidual),
    Word("residual_count", 44, HasResidual),
};

constexpr PduField kTaskResponse[] = {
    kFinal,
    Number("response", 2, 1, TaskResponseName),
    // RFC 7144
    Number("additional_response_information", 8, 3, nullptr, IsFunctionSucceeded),
    kItt,
    kStatSn,
    kExpCmdSn,
    kMaxCmdSn,
};

constexpr PduField kLoginResponse[] = {
    Flag("transit", ISCSI_FLAG_FINAL, IsLoggingIn),
    kContinue,
    Bits("csg", 1, 0x0c, LoginStageName, IsLoggingIn),
    Bits("nsg", 1, 0x03, LoginStageName, IsLoggingInWithTransit),
    kVersionMax,
    Number("version_active", 3, 1),
    kIsid,
    kIsidT,
    kIsidA,
    kIsidB,
    kIsidC,
    kIsidD,
    kTsih,
    kItt,
    Word("statsn", 24, IsLoggingIn),
    Word("exp_cmdsn", 28, IsLoggingIn),
    Word("max_cmdsn", 32, IsLoggingIn),
    Number("status_class", 36, 1, LoginStatusClassName),
    {"status_detail", LoginStatusName, nullptr, 0xffff, 36, 2, FieldForm::kLastByte},
};

constexpr PduField kTextResponse[] = {kFinal, kContinue, Lun(HasTtt), kItt,
                                      kTtt,   kStatSn,   kExpCmdSn,   kMaxCmdSn};

constexpr PduField kDataIn[] = {
    kFinal,
    Flag("acknowledge", kAcknowledge),
    kOverflow,
    kUnderflow,
    Flag("status_present", ISCSI_DATA_IN_STATUS),
    Number("status", 3, 1, ScsiStatusName, HasStatus),
    Lun(IsAcknowledgeAsked),
    kItt,
    Word("ttt", kTttOffset, IsAcknowledgeAsked),
    Word("statsn", 24, HasStatus),
    kExpCmdSn,
    kMaxCmdSn,
    kDataSn,
    kBufferOffset,
    Word("residual_count", 44, HasStatusAndResidual),
};

constexpr PduField kLogoutResponse[] = {
    kFinal,
    Number("response", 2, 1, LogoutResponseName),
    kItt,
    kStatSn,
    kExpCmdSn,
    kMaxCmdSn,
    Number("time2wait", 40, 2, nullptr, KnowsCid),
    Number("time2retain", 42, 2, nullptr, KnowsCid),
};

constexpr PduField kR2t[] = {
    kFinal,        Lun(),
    kItt,          kTtt,
    kStatSn,       kExpCmdSn,
    kMaxCmdSn,     Word("r2tsn", 36),
    kBufferOffset, Word("desired_data_transfer_length", 44),
};

// Of the task tag the RFC says no more than that its bytes are ones.
constexpr PduField kAsyncMessage[] = {
    kFinal,
    Lun(IsOfLun),
    kStatSn,
    kExpCmdSn,
    kMaxCmdSn,
    Number("async_event", 36, 1, AsyncEventName),
    Number("async_vcode", 37, 1, nullptr, IsVendorEvent),
    Number("parameter1", 38, 2, nullptr, HasParameter1),
    Number("parameter2", 40, 2, nullptr, HasParameter2),
    Number("parameter3", 42, 2, nullptr, HasParameter3),
};

constexpr PduField kReject[] = {
    kFinal,    Number("reason", 2, 1, RejectReasonName),  kStatSn, kExpCmdSn,
    kMaxCmdSn, Word("datasn_r2tsn", 36, IsProtocolError),
};

struct Layout {
  uint8_t opcode;
  std::span<const PduField> fields;
};

constexpr Layout kLayouts[] = {
    {ISCSI_NOP_OUT, kNopOut},
    {ISCSI_SCSI_COMMAND, kScsiCommand},
    {ISCSI_TASK_REQUEST, kTaskRequest},
    {ISCSI_LOGIN_REQUEST, kLoginRequest},
    {ISCSI_TEXT_REQUEST, kTextRequest},
    {ISCSI_DATA_OUT, kDataOut},
    {ISCSI_LOGOUT_REQUEST, kLogoutRequest},
    {ISCSI_SNACK_REQUEST, kSnackRequest},
    {ISCSI_NOP_IN, kNopIn},
    {ISCSI_SCSI_RESPONSE, kScsiResponse},
    {ISCSI_TASK_RESPONSE, kTaskResponse},
    {ISCSI_LOGIN_RESPONSE, kLoginResponse},
    {ISCSI_TEXT_RESPONSE, kTextResponse},
    {ISCSI_DATA_IN, kDataIn},
    {ISCSI_LOGOUT_RESPONSE, kLogoutResponse},
    {ISCSI_R2T, kR2t},
    {ISCSI_ASYNC_MESSAGE, kAsyncMessage},
    {ISCSI_REJECT, kReject},
};

}  // namespace

uint32_t ReadField(const PduField& field, const uint8_t* bhs) {
  uint32_t value = 0;
  for (const uint8_t byte : std::span(bhs + field.offset, field.bytes)) value = value << 8 | byte;
  return (value & field.mask) >> std::countr_zero(field.mask);
}

std::span<const PduField> FieldsOf(uint8_t opcode) {
  for (const Layout& layout : kLayouts) {
    if (layout.opcode == opcode) return layout.fields;
  }
  return {};
}

}  // namespace lunscope
