// SPDX-License-Identifier: Apache-2.0
//
// A logical unit: how its number is written, what it said of itself, what was done to it.
#pragma once

#include <lunscope/command.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "collector/model/histogram.h"

namespace lunscope {

// The decimal LUN where the addressing method of its 8 bytes has one (peripheral, flat space and
// logical unit addressing at one level, SAM-5 4.7), else the bytes in hex.
std::string FormatLun(uint64_t lun);

// The same LUN in one form, whichever addressing method named it: two names, one LUN.
uint64_t CanonicalLun(uint64_t lun);

inline constexpr int kUnknownDeviceType = -1;

// What INQUIRY and READ CAPACITY answers told (SPC-5 6.6.2, SBC-4 5.20 and 5.21).
struct LunIdentity {
  int device_type = kUnknownDeviceType;  // peripheral device type
  std::string vendor;
  std::string product;
  uint32_t block_bytes = 0;     // 0: not learned
  uint64_t capacity_bytes = 0;  // likewise

  // Learn from the first bytes of the data that answer this CDB.
  void Learn(const uint8_t* cdb, const uint8_t* data, size_t bytes);
};

// The work of one kind on one LUN.
struct OperationStatistics {
  LatencyHistogram duration_ns;
  // Of the commands that were seen at the SCSI mid-layer and on the wire: how long they were above
  // the wire, and on it.
  LatencyHistogram above_wire_ns;
  uint64_t wire_ns = 0;
};

struct LunStatistics {
  // What every command reads and writes, side by side.
  std::array<std::unique_ptr<OperationStatistics>, SCSI_OPERATIONS> operations;  // null: not seen
  uint64_t read_bytes = 0;
  uint64_t written_bytes = 0;
  LunIdentity identity;

  std::map<std::pair<uint8_t, uint8_t>, uint64_t> errors;  // by SCSI status and sense key
  uint64_t target_failures = 0;                            // iSCSI response other than 0
  uint64_t outstanding = 0;                                // as of the last walk
  uint64_t oldest_start_ns = 0;                            // of the outstanding; 0: none
  // Of a SCSI layer only.
  std::map<uint8_t, uint64_t> host_errors;  // by the mid-layer's host status
  uint64_t retries = 0;
  uint64_t timeouts = 0;
  uint64_t unjoined = 0;  // commands of iSCSI that were not found on the wire

  LunStatistics() = default;
  LunStatistics(const LunStatistics& other);
  LunStatistics& operator=(const LunStatistics&) = delete;
  ~LunStatistics() = default;
};

}  // namespace lunscope
