// SPDX-License-Identifier: Apache-2.0
//
// A logical unit: how its number is written, what it says of itself, and the statistics of its
// commands. Values only; whoever owns one serialises its use.
#pragma once

#include <lunscope/command.h>

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "collector/base/address.h"
#include "collector/model/deep_ptr.h"
#include "collector/model/histogram.h"
#include "collector/model/profile.h"

namespace lunscope {

// The LUN as a decimal number if the addressing method of its 8 bytes has one (peripheral, flat
// space and logical unit addressing at one level, SAM-5 4.7). Else the 8 bytes in hex.
std::string FormatLun(uint64_t lun);

// One form for every addressing method: two ways to write a LUN are one LUN.
uint64_t CanonicalLun(uint64_t lun);

inline constexpr int kUnknownDeviceType = -1;

// A LUN's answers to INQUIRY, READ CAPACITY and MODE SENSE (SPC-5 6.6.2, 7.7 and 7.5, SBC-4 5.20,
// 5.21 and 6.5.1).
struct LunIdentity {
  int device_type = kUnknownDeviceType;  // peripheral device type
  // Of the overflow LUN: many LUNs wrote it, so it is true of none. Beside the type, which each
  // command reads.
  bool is_shared = false;
  PackedAddress portal;  // through which the LUN said so
  std::string vendor;
  std::string product;
  std::string serial;                   // unit serial number; "": not learned
  std::string wwid;                     // as ReadWorldWideName() has it; "": not learned
  std::optional<bool> write_protected;  // none: not learned
  std::optional<bool> thin;             // LBPME: it manages which blocks have storage
  uint32_t block_bytes = 0;             // 0: not learned
  uint64_t capacity_bytes = 0;          // 0: not learned

  [[nodiscard]] bool is_empty() const {
    return device_type == kUnknownDeviceType && vendor.empty() && block_bytes == 0 &&
           serial.empty() && wwid.empty() && !write_protected;
  }
  // Learn from the first bytes of the data that answer this CDB.
  void Learn(const uint8_t* cdb, const uint8_t* data, size_t bytes);

 private:
  void LearnInquiry(const uint8_t* cdb, std::span<const uint8_t> data);
  void LearnMode(std::span<const uint8_t> data, size_t at);
  void LearnCapacity(const uint8_t* cdb, std::span<const uint8_t> data);
};

// Commands of one operation on one LUN.
struct OperationStatistics {
  LatencyHistogram duration_ns;
  // Only of commands that were seen at the SCSI mid-layer and on the wire: the time above the wire,
  // and the time on it.
  LatencyHistogram above_wire_ns;
  uint64_t wire_ns = 0;
};

// Two portals may lead to two devices, because a listener can claim the name of any target. So
// the identities of a LUN are kept apart by portal. Its counts are not.
struct LunStatistics {
  static constexpr size_t kMaxElsewhere = 7;

  // Each command reads and writes these. They lie side by side, to touch few cache lines.
  std::array<DeepPtr<OperationStatistics>, SCSI_OPERATIONS> operations;  // none: not seen
  uint64_t read_bytes = 0;
  uint64_t written_bytes = 0;
  LunIdentity identity;  // through the portal that was first

  std::vector<LunIdentity> elsewhere;  // through others, of which the oldest goes first
  // By SCSI status and sense key. A status other than CHECK CONDITION has no sense key of its own.
  std::map<std::pair<uint8_t, std::optional<uint8_t>>, uint64_t> errors;
  uint64_t target_failures = 0;  // iSCSI response other than 0
  // Commands that ended without a status, by enum lunscope_unreported. The operations have no
  // others.
  std::map<uint8_t, uint64_t> no_status;
  uint64_t outstanding = 0;      // as of the last walk
  uint64_t oldest_start_ns = 0;  // of the outstanding; 0: none
  // Of a SCSI layer only.
  std::map<uint8_t, uint64_t> host_errors;  // by the mid-layer's host status
  uint64_t retries = 0;
  uint64_t timeouts = 0;
  uint64_t unjoined = 0;  // commands of iSCSI that were not found on the wire

  DeepPtr<LunProfile> profile;  // none: not asked for, or no command

  // nullptr: nothing was said through this portal.
  [[nodiscard]] const LunIdentity* IdentityAt(const PackedAddress& portal) const {
    if (identity.portal == portal) return &identity;
    for (const LunIdentity& other : elsewhere) {
      if (other.portal == portal) return &other;
    }
    return nullptr;
  }
  // The same, which is made when it is not there yet.
  LunIdentity& IdentityToLearn(const PackedAddress& portal);

  // A walk found a command in flight.
  void CountInFlight(uint64_t start_ns) {
    outstanding++;
    if (oldest_start_ns == 0 || start_ns < oldest_start_ns) oldest_start_ns = start_ns;
  }
};

}  // namespace lunscope
