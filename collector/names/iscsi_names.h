// SPDX-License-Identifier: Apache-2.0
//
// Codes in iSCSI headers, by the names of RFC 7143 and RFC 7144.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lunscope {

// "" for a code that has no name.
using CodeName = std::string_view (*)(uint32_t code);
std::string_view OpcodeName(uint32_t opcode);                  // "SCSI Command"
std::string_view TaskAttributeName(uint32_t attribute);        // "SIMPLE"
std::string_view ScsiResponseName(uint32_t response);          // "completed"
std::string_view TaskFunctionName(uint32_t function);          // "ABORT TASK"
std::string_view TaskResponseName(uint32_t response);          // "Function complete"
std::string_view LoginStageName(uint32_t stage);               // "FullFeaturePhase"
std::string_view LoginStatusClassName(uint32_t status_class);  // "Initiator Error"
std::string_view LoginStatusName(uint32_t class_and_detail);   // 0x0201: "Authentication failure"
std::string_view LogoutReasonName(uint32_t reason);            // "close the session"
std::string_view LogoutResponseName(uint32_t response);        // "CID not found"
std::string_view SnackTypeName(uint32_t type);                 // "DataACK"
std::string_view AsyncEventName(uint32_t event);               // "Logout Request"
std::string_view RejectReasonName(uint32_t reason);            // "Protocol Error"
std::string_view IsidTypeName(uint32_t type);                  // "OUI"
std::string_view AhsTypeName(uint32_t type);                   // "Extended CDB"

// The status of a Login Response for people, class and detail in one number.
std::string LoginStatusText(uint16_t status);  // "Authentication failure", "status 0299h"

// The part of a command's time (enum lunscope_phase): the label of LUNSCOPE_PHASES.
const char* PhaseLabel(uint32_t phase);  // "transfer_in"

// Why a command ended without a status (enum lunscope_unreported): the label of
// LUNSCOPE_UNREPORTED_REASONS.
const char* NoStatusLabel(uint8_t reason);  // "connection_closed"
// The same for people, with its cause as the command's record has it: "rejected (Protocol Error)".
std::string NoStatusName(uint8_t reason, uint8_t cause);
// The cause alone; "" if the reason has none.
std::string NoStatusCause(uint8_t reason, uint8_t cause);

// As ScsiResponseName, but a response without a name is its number in hex.
std::string ResponseName(uint8_t response);

// Label values. A code without a name is its number in hex.
std::string OpcodeLabel(uint8_t opcode);          // "scsi_command"
std::string RejectLabel(uint8_t reason);          // "protocol_error"
std::string TaskFunctionLabel(uint8_t function);  // "abort_task"
std::string LogoutReasonLabel(uint8_t reason);    // "close_the_session"
std::string AsyncEventLabel(uint8_t event);       // "logout_request"
std::string LoginFailureLabel(uint8_t failure);   // "authentication_failure", "other"

// The statuses of a Login Response by which a login fails, as numbers without gaps (RFC 7143
// section 11.13.5). The last number stands for all statuses that the RFC does not have.
inline constexpr size_t kLoginFailures = 16;
// REQUIRES: the class of the status is no success and no redirection.
uint8_t LoginFailureOf(uint16_t class_and_detail);
std::string_view LoginFailureName(uint32_t failure);  // "Authentication failure"

}  // namespace lunscope
