// SPDX-License-Identifier: Apache-2.0
//
// Numbers of the wire as words: for people (libsgutils2's names) and for labels (snake case).
#pragma once

#include <cstdint>
#include <string>

namespace lunscope {

// "Read(16)", "Inquiry": by opcode, service action and device type (kUnknownDeviceType: as a disk).
// What libsgutils2 has no name for is its opcode in hex, with the service action where it has one.
std::string CommandName(const uint8_t* cdb, int device_type);

// "Good", "Check Condition", ...
std::string StatusName(uint8_t status);

// Label values. A code without a name is its number in hex.
std::string RoleLabel(uint8_t role);              // "initiator"
std::string OperationLabel(size_t operation);     // "read"
std::string StatusLabel(uint8_t status);          // "check_condition"
std::string SenseKeyLabel(uint8_t key);           // "illegal_request"
std::string OpcodeLabel(uint8_t opcode);          // "scsi_command"
std::string RejectLabel(uint8_t reason);          // "protocol_error"
std::string TaskFunctionLabel(uint8_t function);  // "abort_task"
std::string AsyncEventLabel(uint8_t event);       // "logout_request"

}  // namespace lunscope
