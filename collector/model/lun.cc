// SPDX-License-Identifier: Apache-2.0
#include "collector/model/lun.h"

#include <fmt/format.h>

#include <optional>

#include "collector/base/printable.h"
#include "collector/model/vital_product_data.h"

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

// READ CAPACITY with the obsolete PMI asks for another block (SBC-2 5.10 and 5.11).
bool AsksForCapacity(const uint8_t* cdb) {
  switch (cdb[0]) {
    case SCSI_READ_CAPACITY_10: return (cdb[8] & 0x01) == 0;
    case SCSI_SERVICE_ACTION_IN_16:
      return scsi_service_action(cdb) == SCSI_SERVICE_ACTION_READ_CAPACITY_16 &&
             (cdb[14] & 0x01) == 0;
    default: return false;
  }
}

// The type of a device whose mode parameter header has the bit WP (SBC-4 6.5.1, SSC-5 8.5.2).
bool HasWriteProtection(int device_type) {
  return device_type == SCSI_TYPE_DISK || device_type == SCSI_TYPE_TAPE;
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
  switch (cdb[0]) {
    case SCSI_INQUIRY: return LearnInquiry(cdb, {data, bytes});
    case SCSI_MODE_SENSE_6: return LearnMode({data, bytes}, 2);
    case SCSI_MODE_SENSE_10: return LearnMode({data, bytes}, 3);
    default:
      if (AsksForCapacity(cdb)) LearnCapacity(cdb, {data, bytes});
  }
}

// The obsolete bit CMDDT asks for other data (SPC-3 6.4.1).
void LunIdentity::LearnInquiry(const uint8_t* cdb, std::span<const uint8_t> data) {
  constexpr uint8_t kEvpd = 0x01;
  constexpr uint8_t kCmdDt = 0x02;
  if (data.empty() || (cdb[1] & kCmdDt) != 0) return;
  if ((cdb[1] & kEvpd) != 0) {
    if (cdb[2] == kUnitSerialNumberPage) ReadSerialNumber(data, serial);
    if (cdb[2] == kDeviceIdentificationPage) ReadWorldWideName(data, wwid);
    return;
  }
  // Qualifier 3: no device can be here, so the type means nothing (SPC-5 table 142).
  if ((data[0] >> 5) != 3) device_type = data[0] & 0x1f;
  const auto* text = reinterpret_cast<const char*>(data.data());
  if (data.size() >= 16) AssignPrintable(Trimmed({text + 8, 8}), vendor);
  if (data.size() >= 32) AssignPrintable(Trimmed({text + 16, 16}), product);
}

// at: of the device-specific parameter.
void LunIdentity::LearnMode(std::span<const uint8_t> data, size_t at) {
  if (data.size() > at && HasWriteProtection(device_type)) write_protected = (data[at] & 0x80) != 0;
}

void LunIdentity::LearnCapacity(const uint8_t* cdb, std::span<const uint8_t> data) {
  if (cdb[0] == SCSI_READ_CAPACITY_10 && data.size() >= 8) {
    const uint32_t last = lunscope_be32(data.data());
    block_bytes = lunscope_be32(data.data() + 4);
    if (last != 0xffffffff) capacity_bytes = (uint64_t{last} + 1) * block_bytes;
  } else if (cdb[0] == SCSI_SERVICE_ACTION_IN_16 && data.size() >= 12) {
    block_bytes = lunscope_be32(data.data() + 8);
    capacity_bytes = (lunscope_be64(data.data()) + 1) * block_bytes;
    if (data.size() >= 15) thin = (data[14] & 0x80) != 0;
  }
}

}  // namespace lunscope
