// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/pdu_fields.h"

#include <lunscope/iscsi.h>

#include <bit>

#include "collector/lines/pdu_conditions.h"

namespace lunscope {
namespace {

using Condition = bool (*)(const uint8_t* bhs);

// ---- forms ----

// Each of them makes a row: a field at an offset in the BHS, as the RFC draws it. A condition says
// in which PDUs the field is there.
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
// A flag is in byte 1 unless the row has another offset.
constexpr PduField Flag(const char* name, uint8_t mask, Condition is_there = nullptr,
                        uint8_t offset = 1) {
  return {name, nullptr, is_there, mask, offset, 1, FieldForm::kFlag};
}
constexpr PduField Lun(Condition is_there = nullptr) {
  return Bytes("lun", 8, 8, FieldForm::kLun, is_there);
}

// ---- fields of several opcodes ----

constexpr PduField kImmediate = Flag("immediate", 0x40, nullptr, 0);
constexpr PduField kFinal = Flag("final", ISCSI_FLAG_FINAL);
constexpr PduField kContinue = Flag("continue", ISCSI_FLAG_CONTINUE);
constexpr PduField kItt = Word("itt", 16);
constexpr PduField kTtt = Word("ttt", pdu::kTttOffset);
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
constexpr PduField kIsidA = Bits("isid_a", 8, 0x3f, nullptr, pdu::HasOui);
constexpr PduField kIsidB = Number("isid_b", 9, 2, nullptr, pdu::HasNamingAuthority);
constexpr PduField kIsidC = Number("isid_c", 11, 1, nullptr, pdu::HasNamingAuthority);
constexpr PduField kIsidD = Number("isid_d", 12, 2, nullptr, pdu::HasNamingAuthority);
constexpr PduField kTsih = Number("tsih", 14, 2);

// ---- the opcodes ----

constexpr PduField kNopOut[] = {kImmediate, kFinal, Lun(pdu::HasTtt), kItt,
                                kTtt,       kCmdSn, kExpStatSn};

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
    Lun(pdu::AddressesLun),
    kItt,
    Word("referenced_task_tag", 20),
    kCmdSn,
    kExpStatSn,
    Word("ref_cmdsn", 32, pdu::AbortsTask),
    Word("exp_datasn", 36, pdu::ReassignsTask),
};

constexpr PduField kLoginRequest[] = {
    kImmediate,
    Flag("transit", ISCSI_FLAG_FINAL),
    kContinue,
    Bits("csg", 1, 0x0c, LoginStageName),
    Bits("nsg", 1, 0x03, LoginStageName, pdu::IsTransit),
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

constexpr PduField kTextRequest[] = {kImmediate, kFinal, kContinue, Lun(pdu::HasTtt),
                                     kItt,       kTtt,   kCmdSn,    kExpStatSn};

constexpr PduField kDataOut[] = {kFinal,     Lun(pdu::HasTtt), kItt,         kTtt,
                                 kExpStatSn, kDataSn,          kBufferOffset};

constexpr PduField kLogoutRequest[] = {
    kImmediate,
    kFinal,
    Bits("reason_code", 1, 0x7f, LogoutReasonName),
    kItt,
    Number("cid", 20, 2, nullptr, pdu::ClosesOneConnection),
    kCmdSn,
    kExpStatSn,
};

constexpr PduField kSnackRequest[] = {
    kFinal,
    Bits("type", 1, pdu::kSnackTypeMask, SnackTypeName),
    Lun(pdu::IsOfTask),
    kItt,
    Word("ttt", pdu::kTttOffset, pdu::IsNotRData),
    Word("snack_tag", pdu::kTttOffset, pdu::IsRData),
    kExpStatSn,
    Word("begrun", 40),
    Word("runlength", 44),
};

constexpr PduField kNopIn[] = {kFinal, Lun(pdu::HasTtt), kItt, kTtt, kStatSn, kExpCmdSn, kMaxCmdSn};

constexpr PduField kScsiResponse[] = {
    kFinal,
    Flag("bidirectional_read_residual_overflow", ISCSI_BIDI_OVERFLOW),
    Flag("bidirectional_read_residual_underflow", ISCSI_BIDI_UNDERFLOW),
    kOverflow,
    kUnderflow,
    Number("response", 2, 1, ScsiResponseName),
    Number("status", 3, 1, ScsiStatusName, pdu::IsCompleted),
    Number("status_qualifier", 8, 2, nullptr, pdu::IsCompleted),  // RFC 7144
    kItt,
    Word("snack_tag", pdu::kTttOffset, pdu::HasSnackTag),
    kStatSn,
    kExpCmdSn,
    kMaxCmdSn,
    Word("exp_datasn", 36, pdu::IsCompleted),
    Word("bidirectional_read_residual_count", 40, pdu::HasBidirectionalResidual),
    Word("residual_count", 44, pdu::HasResidual),
};

constexpr PduField kTaskResponse[] = {
    kFinal,
    Number("response", 2, 1, TaskResponseName),
    // RFC 7144
    Number("additional_response_information", 8, 3, nullptr, pdu::IsFunctionSucceeded),
    kItt,
    kStatSn,
    kExpCmdSn,
    kMaxCmdSn,
};

constexpr PduField kLoginResponse[] = {
    Flag("transit", ISCSI_FLAG_FINAL, pdu::IsLoggingIn),
    kContinue,
    Bits("csg", 1, 0x0c, LoginStageName, pdu::IsLoggingIn),
    Bits("nsg", 1, 0x03, LoginStageName, pdu::IsLoggingInWithTransit),
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
    Word("statsn", 24, pdu::IsLoggingIn),
    Word("exp_cmdsn", 28, pdu::IsLoggingIn),
    Word("max_cmdsn", 32, pdu::IsLoggingIn),
    Number("status_class", 36, 1, LoginStatusClassName),
    {"status_detail", LoginStatusName, nullptr, 0xffff, 36, 2, FieldForm::kLastByte},
};

constexpr PduField kTextResponse[] = {kFinal, kContinue, Lun(pdu::HasTtt), kItt,
                                      kTtt,   kStatSn,   kExpCmdSn,        kMaxCmdSn};

constexpr PduField kDataIn[] = {
    kFinal,
    Flag("acknowledge", pdu::kAcknowledge),
    kOverflow,
    kUnderflow,
    Flag("status_present", ISCSI_DATA_IN_STATUS),
    Number("status", 3, 1, ScsiStatusName, pdu::HasStatus),
    Lun(pdu::IsAcknowledgeAsked),
    kItt,
    Word("ttt", pdu::kTttOffset, pdu::IsAcknowledgeAsked),
    Word("statsn", 24, pdu::HasStatus),
    kExpCmdSn,
    kMaxCmdSn,
    kDataSn,
    kBufferOffset,
    Word("residual_count", 44, pdu::HasStatusAndResidual),
};

constexpr PduField kLogoutResponse[] = {
    kFinal,
    Number("response", 2, 1, LogoutResponseName),
    kItt,
    kStatSn,
    kExpCmdSn,
    kMaxCmdSn,
    Number("time2wait", 40, 2, nullptr, pdu::IsCidFound),
    Number("time2retain", 42, 2, nullptr, pdu::IsCidFound),
};

constexpr PduField kR2t[] = {
    kFinal,        Lun(),
    kItt,          kTtt,
    kStatSn,       kExpCmdSn,
    kMaxCmdSn,     Word("r2tsn", 36),
    kBufferOffset, Word("desired_data_transfer_length", 44),
};

// The initiator task tag is not a field here: all its bits are ones.
constexpr PduField kAsyncMessage[] = {
    kFinal,
    Lun(pdu::IsOfLun),
    kStatSn,
    kExpCmdSn,
    kMaxCmdSn,
    Number("async_event", 36, 1, AsyncEventName),
    Number("async_vcode", 37, 1, nullptr, pdu::IsVendorEvent),
    Number("parameter1", 38, 2, nullptr, pdu::HasParameter1),
    Number("parameter2", 40, 2, nullptr, pdu::HasParameter2),
    Number("parameter3", 42, 2, nullptr, pdu::HasParameter3),
};

constexpr PduField kReject[] = {
    kFinal,    Number("reason", 2, 1, RejectReasonName),       kStatSn, kExpCmdSn,
    kMaxCmdSn, Word("datasn_r2tsn", 36, pdu::IsProtocolError),
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
