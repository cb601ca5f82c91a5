// SPDX-License-Identifier: Apache-2.0
//
// Numbers of the wire as words: for people (libsgutils2's names, and the RFCs') and for labels
// (snake case). Each code has one name here, and its label is made of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lunscope {

// "Read(16)", "Inquiry": by opcode, service action and device type. Of an unknown type (-1, or 1fh)
// the name is that of disk, tape, CD and changer if they have one name for it, else all of theirs:
// "0x2b: Seek(10) or Locate(10) or Position to element". What libsgutils2 has no name for is its
// opcode in hex, with the service action where it has one.
std::string CommandName(const uint8_t* cdb, int device_type);

// "Good", "Check Condition", ... A status without a name is its number in hex.
std::string StatusName(uint8_t status);

// "completed", "target failure" (RFC 7143 section 11.4.3), else the number in hex.
std::string ResponseName(uint8_t response);

// "DID_TIME_OUT": what the SCSI mid-layer says of a command whose status means nothing, by the
// names of include/scsi/scsi_status.h; else the number in hex.
std::string HostStatusName(uint8_t host_status);

// Codes in iSCSI headers by the names of RFC 7143 and RFC 7144; "" for a code that has none.
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
std::string_view ScsiStatusName(uint32_t status);              // "Check Condition"

// Label values. A code without a name is its number in hex.
std::string RoleLabel(uint8_t role);                      // "initiator"
std::string OperationLabel(size_t operation);             // "read"
std::string StatusLabel(uint8_t status);                  // "check_condition"
std::string HostStatusLabel(uint8_t host_status);         // "did_time_out"
std::string SenseKeyLabel(uint8_t key);                   // "illegal_request"
std::string OpcodeLabel(uint8_t opcode);                  // "scsi_command"
std::string RejectLabel(uint8_t reason);                  // "protocol_error"
std::string TaskFunctionLabel(uint8_t function);          // "abort_task"
std::string AsyncEventLabel(uint8_t event);               // "logout_request"
std::string LoginStatusClassLabel(uint8_t status_class);  // "initiator_error"

}  // namespace lunscope
