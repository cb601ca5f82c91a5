// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/pdu_conditions.h"

#include <lunscope/iscsi.h>

namespace lunscope::pdu {
namespace {

constexpr uint8_t kLoginSuccess = 0;

enum TaskResponse : uint8_t { kFunctionSucceeded = 7 };
enum LogoutResponse : uint8_t { kCidNotFound = 1 };
enum IsidType : uint8_t { kOui = 0, kReservedIsid = 3 };
enum SnackType : uint8_t { kStatusSnack = 1, kRDataSnack = 3 };
enum RejectReason : uint8_t { kProtocolError = 4 };
enum AsyncEvent : uint8_t {
  kScsiEvent = 0,
  kLogoutRequestEvent = 1,
  kConnectionDrop = 2,
  kSessionDrop = 3,
  kNegotiationRequest = 4,
  kTaskTermination = 5,
  kFirstVendorEvent = 248,
};

uint8_t IsidTypeOf(const uint8_t* bhs) { return iscsi_isid(bhs)[0] >> 6; }
uint8_t SnackTypeOf(const uint8_t* bhs) { return iscsi_flags(bhs) & kSnackTypeMask; }

}  // namespace

bool HasTtt(const uint8_t* bhs) { return lunscope_be32(bhs + kTttOffset) != ISCSI_RESERVED_TAG; }

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

bool IsTransit(const uint8_t* bhs) { return (iscsi_flags(bhs) & ISCSI_FLAG_FINAL) != 0; }
bool IsLoggingIn(const uint8_t* bhs) { return iscsi_login_status_class(bhs) == kLoginSuccess; }
bool IsLoggingInWithTransit(const uint8_t* bhs) { return IsLoggingIn(bhs) && IsTransit(bhs); }
bool HasOui(const uint8_t* bhs) { return IsidTypeOf(bhs) == kOui; }
bool HasNamingAuthority(const uint8_t* bhs) { return IsidTypeOf(bhs) != kReservedIsid; }

bool ClosesOneConnection(const uint8_t* bhs) {
  return iscsi_logout_reason(bhs) != ISCSI_LOGOUT_CLOSE_SESSION;
}
bool IsCidFound(const uint8_t* bhs) { return iscsi_logout_response(bhs) != kCidNotFound; }

bool IsRData(const uint8_t* bhs) { return SnackTypeOf(bhs) == kRDataSnack; }
bool IsNotRData(const uint8_t* bhs) { return SnackTypeOf(bhs) != kRDataSnack; }
bool IsOfTask(const uint8_t* bhs) { return SnackTypeOf(bhs) != kStatusSnack; }

bool IsCompleted(const uint8_t* bhs) { return iscsi_response(bhs) == 0; }
bool HasSnackTag(const uint8_t* bhs) { return lunscope_be32(bhs + kTttOffset) != 0; }
bool HasResidual(const uint8_t* bhs) {
  return (iscsi_flags(bhs) & (ISCSI_RESIDUAL_UNDERFLOW | ISCSI_RESIDUAL_OVERFLOW)) != 0;
}
bool HasBidirectionalResidual(const uint8_t* bhs) {
  return (iscsi_flags(bhs) & (ISCSI_BIDI_UNDERFLOW | ISCSI_BIDI_OVERFLOW)) != 0;
}

bool IsAcknowledgeAsked(const uint8_t* bhs) { return (iscsi_flags(bhs) & kAcknowledge) != 0; }
bool HasStatus(const uint8_t* bhs) { return (iscsi_flags(bhs) & ISCSI_DATA_IN_STATUS) != 0; }
bool HasStatusAndResidual(const uint8_t* bhs) { return HasStatus(bhs) && HasResidual(bhs); }

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

bool IsProtocolError(const uint8_t* bhs) { return iscsi_reject_reason(bhs) == kProtocolError; }

}  // namespace lunscope::pdu
