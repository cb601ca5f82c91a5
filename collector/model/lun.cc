// SPDX-License-Identifier: Apache-2.0
#include "collector/model/lun.h"

#include <fmt/format.h>

#include <optional>

#include "collector/base/printable.h"

namespace lunscope {

namespace {

// The number of a LUN under single-level addressing. Other LUNs have no number.
std::optional<uint64_t> DecimalLun(uint64_t lun) {
  const bool is_single_level = (lun & 0x0000ffffffffffffull) == 0;
  if (!is_single_level) return std::nullopt;
  switch (lun >> 62) {
    case 0:  // peripheral: bus 0 is the device itself
      return (lun >> 56) == 0 ? std::optional(lun >> 48) : std::nullopt;
    case 1:  // flat space
      return (lun >> 48) & 0x3fff;
    case 2:  // logical unit: bus and target are 0 for a LUN of this very device
      return ((lun >> 53) & 0x1ff) == 0 ? std::optional((lun >> 48) & 0x1f) : std::nullopt;
    default: return std::nullopt;
  }
}

// INQUIRY with EVPD or the obsolete CMDDT, and READ CAPACITY with the obsolete PMI, have other data
// (SPC-5 6.6.1, SPC-3 6.4.1, SBC-2 5.10 and 5.11).
bool AsksForIdentity(const uint8_t* cdb) {
  switch (cdb[0]) {
    case SCSI_INQUIRY: return (cdb[1] & 0x03) == 0;
    case SCSI_READ_CAPACITY_10: return (cdb[8] & 0x01) == 0;
    case SCSI_SERVICE_ACTION_IN_16:
      return scsi_service_action(cdb) == SCSI_SERVICE_ACTION_READ_CAPACITY_16 &&
             (cdb[14] & 0x01) == 0;
    default: return false;
  }
}

}  // namespace

std::string FormatLun(uint64_t lun) {
  const std::optional<uint64_t> number = DecimalLun(lun);
  return number ? fmt::format("{}", *number) : fmt::format("0x{:016x}", lun);
}

uint64_t CanonicalLun(uint64_t lun) {
  // Beyond 255 flat space is the method that has room for the number.
  constexpr uint64_t kMaxPeripheral = 255;
  const std::optional<uint64_t> number = DecimalLun(lun);
  if (!number) return lun;
  return *number <= kMaxPeripheral ? *number << 48 : (*number | 0x4000) << 48;
}

LunIdentity& LunStatistics::IdentityToLearn(const PackedAddress& portal) {
  if (identity.is_empty()) identity.portal = portal;
  if (const LunIdentity* known = IdentityAt(portal)) return const_cast<LunIdentity&>(*known);
  if (elsewhere.size() == kMaxElsewhere) elsewhere.erase(elsewhere.begin());
  elsewhere.push_back({.portal = portal});
  return elsewhere.back();
}

void LunIdentity::Learn(const uint8_t* cdb, const uint8_t* data, size_t bytes) {
  if (!AsksForIdentity(cdb)) return;
  if (cdb[0] == SCSI_INQUIRY && bytes >= 1) {
    // Qualifier 3: no device can be here, so the type means nothing (SPC-5 table 142).
    if ((data[0] >> 5) != 3) device_type = data[0] & 0x1f;
    const auto* text = reinterpret_cast<const char*>(data);
    if (bytes >= 16) AssignPrintable(Trimmed({text + 8, 8}), vendor);
    if (bytes >= 32) AssignPrintable(Trimmed({text + 16, 16}), product);
  } else if (cdb[0] == SCSI_READ_CAPACITY_10 && bytes >= 8) {
    const uint32_t last = lunscope_be32(data);
    block_bytes = lunscope_be32(data + 4);
    if (last != 0xffffffff) capacity_bytes = (uint64_t{last} + 1) * block_bytes;
  } else if (cdb[0] == SCSI_SERVICE_ACTION_IN_16 && bytes >= 12) {
    block_bytes = lunscope_be32(data + 8);
    capacity_bytes = (lunscope_be64(data) + 1) * block_bytes;
  }
}

}  // namespace lunscope
