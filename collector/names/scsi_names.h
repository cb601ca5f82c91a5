// SPDX-License-Identifier: Apache-2.0
//
// SCSI commands, statuses and sense keys by the names of libsgutils2; host statuses by the names of
// Linux.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lunscope {

// "Read(16)", "Inquiry": by opcode, service action and device type. If the type is unknown (-1 or
// 1fh), the names for disk, tape, CD and changer count. If they differ, the result has all of them:
// "0x2b: Seek(10) or Locate(10) or Position to element". A command without a name is its opcode in
// hex, with the service action if the opcode has one.
std::string CommandName(const uint8_t* cdb, int device_type);

// "Check Condition"; "" for a status that has no name.
std::string_view ScsiStatusName(uint32_t status);
// The same, but a status without a name is its number in hex.
std::string StatusName(uint8_t status);

// "DID_TIME_OUT": what the SCSI mid-layer says of a command that has no SCSI status, by the names
// of include/scsi/scsi_status.h of Linux; "" for a host status that has no name.
std::string_view ScsiHostStatusName(uint32_t host_status);
// The same, but a host status without a name is its number in hex.
std::string HostStatusName(uint8_t host_status);

// "Medium Error: Unrecovered read error", by the names of libsgutils2 for the sense key and for the
// additional sense. "Medium Error" where the additional sense has no name or says nothing (0/0).
std::string SenseText(uint8_t key, uint8_t asc, uint8_t ascq);

// Label values. A code without a name is its number in hex.
std::string RoleLabel(uint8_t role);               // "initiator"
std::string OperationLabel(size_t operation);      // "read"
std::string StatusLabel(uint8_t status);           // "check_condition"
std::string HostStatusLabel(uint8_t host_status);  // "did_time_out"
std::string SenseKeyLabel(uint8_t key);            // "illegal_request"

}  // namespace lunscope
