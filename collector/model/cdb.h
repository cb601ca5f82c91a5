// SPDX-License-Identifier: Apache-2.0
//
// Facts of a CDB: what kind of work it asks for, and where its logical block address and its number
// of logical blocks stand. They are rows of one table (cdb.cc), by operation code, service action
// and device type.
//
// Pure. A CDB is the bytes that are known of it: at least 16, and up to 260 of an extended CDB.
#pragma once

#include <lunscope/scsi.h>

#include <cstdint>
#include <optional>
#include <span>

namespace lunscope {

// For the metric label "operation". A device of an unknown type (-1) counts as a disk.
scsi_operation OperationOf(std::span<const uint8_t> cdb, int device_type);

// nullopt: the command has none, or its place is behind the bytes that are known, or the device
// type is unknown and the same code is as likely a command without one.
std::optional<uint64_t> LbaOf(std::span<const uint8_t> cdb, int device_type);
// A 0 that stands for another number is that number: 256 in READ(6) (SBC-4 5.10).
std::optional<uint64_t> BlocksOf(std::span<const uint8_t> cdb, int device_type);

// Is the bit FUA set: shall the device itself have the data, not only its cache?
bool AsksForFua(std::span<const uint8_t> cdb, int device_type);

// The length of a CDB in bytes. A variable length CDB (7Fh) says it itself (SPC-5 4.2.3); else it
// follows from the operation code.
size_t CdbBytes(std::span<const uint8_t> cdb);

}  // namespace lunscope
