// SPDX-License-Identifier: Apache-2.0
#include "collector/names/iscsi_names.h"

#include <lunscope/iscsi.h>
#include <lunscope/phases.h>
#include <lunscope/reasons.h>

#include <algorithm>
#include <iterator>

#include "collector/names/code_table.h"

namespace lunscope {
namespace {

// RFC 7143 section 11.2.1.2
constexpr CodeEntry kOpcodes[] = {
    {ISCSI_NOP_OUT, "NOP-Out"},
    {ISCSI_SCSI_COMMAND, "SCSI Command"},
    {ISCSI_TASK_REQUEST, "Task Management Request"},
    {ISCSI_LOGIN_REQUEST, "Login Request"},
    {ISCSI_TEXT_REQUEST, "Text Request"},
    {ISCSI_DATA_OUT, "Data-Out"},
    {ISCSI_LOGOUT_REQUEST, "Logout Request"},
    {ISCSI_SNACK_REQUEST, "SNACK Request"},
    {ISCSI_NOP_IN, "NOP-In"},
    {ISCSI_SCSI_RESPONSE, "SCSI Response"},
    {ISCSI_TASK_RESPONSE, "Task Management Response"},
    {ISCSI_LOGIN_RESPONSE, "Login Response"},
    {ISCSI_TEXT_RESPONSE, "Text Response"},
    {ISCSI_DATA_IN, "Data-In"},
    {ISCSI_LOGOUT_RESPONSE, "Logout Response"},
    {ISCSI_R2T, "R2T"},
    {ISCSI_ASYNC_MESSAGE, "Async Message"},
    {ISCSI_REJECT, "Reject"},
};

// RFC 7143 section 11.2.2.1
constexpr CodeEntry kAhsTypes[] = {
    {1, "Extended CDB"},
    {2, "Expected Bidirectional Read Data Length"},
};

// RFC 7143 section 11.3.1
constexpr CodeEntry kTaskAttributes[] = {
    {0, "Untagged"}, {1, "SIMPLE"}, {2, "ORDERED"}, {3, "HEAD OF QUEUE"}, {4, "ACA"},
};

// RFC 7143 section 11.4.3
constexpr CodeEntry kScsiResponses[] = {{0x00, "completed"}, {0x01, "target failure"}};

// RFC 7143 section 11.5.1, RFC 7144 section 7
constexpr CodeEntry kTaskFunctions[] = {
    {ISCSI_TASK_ABORT_TASK, "ABORT TASK"},
    {ISCSI_TASK_ABORT_TASK_SET, "ABORT TASK SET"},
    {ISCSI_TASK_CLEAR_ACA, "CLEAR ACA"},
    {ISCSI_TASK_CLEAR_TASK_SET, "CLEAR TASK SET"},
    {ISCSI_TASK_LUN_RESET, "LOGICAL UNIT RESET"},
    {ISCSI_TASK_TARGET_WARM_RESET, "TARGET WARM RESET"},
    {ISCSI_TASK_TARGET_COLD_RESET, "TARGET COLD RESET"},
    {ISCSI_TASK_REASSIGN, "TASK REASSIGN"},
    {ISCSI_TASK_QUERY_TASK, "QUERY TASK"},
    {ISCSI_TASK_QUERY_TASK_SET, "QUERY TASK SET"},
    {ISCSI_TASK_NEXUS_RESET, "I_T NEXUS RESET"},
    {ISCSI_TASK_QUERY_ASYNC_EVENT, "QUERY ASYNCHRONOUS EVENT"},
};

// RFC 7143 section 11.6.1, RFC 7144
constexpr CodeEntry kTaskResponses[] = {
    {0, "Function complete"},
    {1, "Task does not exist"},
    {2, "LUN does not exist"},
    {3, "Task still allegiant"},
    {4, "Task allegiance reassignment not supported"},
    {5, "Task management function not supported"},
    {6, "Function authorization failed"},
    {7, "Function succeeded"},
    {255, "Function rejected"},
};

// RFC 7143 section 11.9.1
constexpr CodeEntry kAsyncEvents[] = {
    {0, "SCSI Event"},   {1, "Logout Request"},      {2, "Connection Drop"},
    {3, "Session Drop"}, {4, "Negotiation Request"}, {5, "Task Termination"},
};

// RFC 7143 section 11.12.3
constexpr CodeEntry kLoginStages[] = {
    {0, "SecurityNegotiation"},
    {1, "LoginOperationalNegotiation"},
    {3, "FullFeaturePhase"},
};

// RFC 7143 section 11.12.5
constexpr CodeEntry kIsidTypes[] = {{0, "OUI"}, {1, "EN"}, {2, "Random"}};

// RFC 7143 section 11.13.5
constexpr CodeEntry kLoginStatusClasses[] = {
    {0, "Success"}, {1, "Redirection"}, {2, "Initiator Error"}, {3, "Target Error"}};

// RFC 7143 section 11.13.5: class and detail
constexpr CodeEntry kLoginStatuses[] = {
    {0x0000, "Success"},
    {0x0101, "Target moved temporarily"},
    {0x0102, "Target moved permanently"},
    {0x0200, "Initiator error"},
    {0x0201, "Authentication failure"},
    {0x0202, "Authorization failure"},
    {0x0203, "Not found"},
    {0x0204, "Target removed"},
    {0x0205, "Unsupported version"},
    {0x0206, "Too many connections"},
    {0x0207, "Missing parameter"},
    {0x0208, "Can't include in session"},
    {0x0209, "Session type not supported"},
    {0x020a, "Session does not exist"},
    {0x020b, "Invalid request during login"},
    {0x0300, "Target error"},
    {0x0301, "Service unavailable"},
    {0x0302, "Out of resources"},
};
// The statuses before are a success or a redirection.
constexpr size_t kFirstLoginFailure = 3;
constexpr uint8_t kOtherLoginFailure = kLoginFailures - 1;
static_assert(kLoginStatuses[kFirstLoginFailure].code == 0x0200);
static_assert(std::size(kLoginStatuses) - kFirstLoginFailure == kOtherLoginFailure);

// RFC 7143 section 11.14.1
constexpr CodeEntry kLogoutReasons[] = {
    {0, "close the session"},
    {1, "close the connection"},
    {2, "remove the connection for recovery"},
};

// RFC 7143 section 11.15.1
constexpr CodeEntry kLogoutResponses[] = {
    {0, "closed successfully"},
    {1, "CID not found"},
    {2, "connection recovery not supported"},
    {3, "cleanup failed"},
};

// RFC 7143 section 11.16.1
constexpr CodeEntry kSnackTypes[] = {
    {0, "Data/R2T SNACK"}, {1, "Status SNACK"}, {2, "DataACK"}, {3, "R-Data SNACK"}};

// RFC 7143 section 11.17.1
constexpr CodeEntry kRejectReasons[] = {
    {0x01, "Reserved"},
    {0x02, "Data Digest Error"},
    {0x03, "SNACK Reject"},
    {0x04, "Protocol Error"},
    {0x05, "Command Not Supported"},
    {0x06, "Immediate Command Reject"},
    {0x07, "Task In Progress"},
    {0x08, "Invalid Data ACK"},
    {0x09, "Invalid PDU Field"},
    {0x0a, "Long Operation Reject"},
    {0x0b, "Deprecated"},
    {0x0c, "Waiting for Logout"},
};

#define LUNSCOPE_PHASE_LABEL(name, role, slot, label, help) label,
constexpr const char* kPhases[] = {LUNSCOPE_PHASES(LUNSCOPE_PHASE_LABEL)};
#undef LUNSCOPE_PHASE_LABEL

#define LUNSCOPE_LABEL(name, label, help) label,
constexpr const char* kUnreported[] = {LUNSCOPE_UNREPORTED_REASONS(LUNSCOPE_LABEL)};
#undef LUNSCOPE_LABEL

}  // namespace

std::string_view OpcodeName(uint32_t opcode) { return NameIn(kOpcodes, opcode); }
std::string_view TaskAttributeName(uint32_t attribute) {
  return NameIn(kTaskAttributes, attribute);
}
std::string_view ScsiResponseName(uint32_t response) { return NameIn(kScsiResponses, response); }
std::string_view TaskFunctionName(uint32_t function) { return NameIn(kTaskFunctions, function); }
std::string_view TaskResponseName(uint32_t response) { return NameIn(kTaskResponses, response); }
std::string_view LoginStageName(uint32_t stage) { return NameIn(kLoginStages, stage); }
std::string_view LoginStatusClassName(uint32_t status_class) {
  return NameIn(kLoginStatusClasses, status_class);
}
std::string_view LoginStatusName(uint32_t class_and_detail) {
  return NameIn(kLoginStatuses, class_and_detail);
}
std::string_view LogoutReasonName(uint32_t reason) { return NameIn(kLogoutReasons, reason); }
std::string_view LogoutResponseName(uint32_t response) {
  return NameIn(kLogoutResponses, response);
}
std::string_view SnackTypeName(uint32_t type) { return NameIn(kSnackTypes, type); }
std::string_view AsyncEventName(uint32_t event) { return NameIn(kAsyncEvents, event); }
std::string_view RejectReasonName(uint32_t reason) { return NameIn(kRejectReasons, reason); }
std::string_view IsidTypeName(uint32_t type) { return NameIn(kIsidTypes, type); }
std::string_view AhsTypeName(uint32_t type) { return NameIn(kAhsTypes, type); }

std::string LoginStatusText(uint16_t status) {
  const std::string_view name = LoginStatusName(status);
  return name.empty() ? fmt::format("status {:04x}h", status) : std::string(name);
}

const char* PhaseLabel(uint32_t phase) { return kPhases[phase % LUNSCOPE_PHASE_COUNT]; }

const char* NoStatusLabel(uint8_t reason) {
  return reason < std::size(kUnreported) ? kUnreported[reason] : "open";
}

std::string NoStatusCause(uint8_t reason, uint8_t cause) {
  switch (reason) {
    case LUNSCOPE_UNREPORTED_REJECTED: return NameOrHex(RejectReasonName(cause), cause);
    case LUNSCOPE_UNREPORTED_ABORTED: return NameOrHex(TaskFunctionName(cause), cause);
    case LUNSCOPE_OPEN - 1: return cause != 0 ? "CmdSN above MaxCmdSN" : "";
    default: return {};
  }
}

std::string NoStatusName(uint8_t reason, uint8_t cause) {
  std::string name = NoStatusLabel(reason);
  std::ranges::replace(name, '_', ' ');
  const std::string words = NoStatusCause(reason, cause);
  return words.empty() ? name : name + " (" + words + ")";
}

std::string ResponseName(uint8_t response) {
  return NameOrHex(ScsiResponseName(response), response);
}

std::string OpcodeLabel(uint8_t opcode) { return LabelOf(OpcodeName(opcode), opcode); }
std::string RejectLabel(uint8_t reason) { return LabelOf(RejectReasonName(reason), reason); }
std::string TaskFunctionLabel(uint8_t function) {
  return LabelOf(TaskFunctionName(function), function);
}
std::string LogoutReasonLabel(uint8_t reason) { return LabelOf(LogoutReasonName(reason), reason); }
std::string AsyncEventLabel(uint8_t event) { return LabelOf(AsyncEventName(event), event); }
std::string LoginFailureLabel(uint8_t failure) {
  return SnakeCase(failure < kOtherLoginFailure ? LoginFailureName(failure) : "other");
}

uint8_t LoginFailureOf(uint16_t class_and_detail) {
  for (uint8_t i = 0; i < kOtherLoginFailure; i++) {
    if (kLoginStatuses[kFirstLoginFailure + i].code == class_and_detail) return i;
  }
  return kOtherLoginFailure;
}

std::string_view LoginFailureName(uint32_t failure) {
  return failure < kOtherLoginFailure    ? kLoginStatuses[kFirstLoginFailure + failure].name
         : failure == kOtherLoginFailure ? "A status that the RFC does not have"
                                         : "";
}

}  // namespace lunscope
