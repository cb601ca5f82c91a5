// SPDX-License-Identifier: Apache-2.0
#include "collector/names/scsi_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <lunscope/iscsi.h>
#include <lunscope/scsi.h>
#include <scsi/sg_lib.h>

#include <algorithm>
#include <array>
#include <vector>

#include "collector/names/code_table.h"

namespace lunscope {
namespace {

// The longest name is that of a mode of WRITE BUFFER.
using NameBuffer = std::array<char, 160>;

// include/scsi/scsi_status.h of Linux: enum scsi_host_status
constexpr CodeEntry kHostStatuses[] = {
    {0x00, "DID_OK"},
    {0x01, "DID_NO_CONNECT"},
    {0x02, "DID_BUS_BUSY"},
    {0x03, "DID_TIME_OUT"},
    {0x04, "DID_BAD_TARGET"},
    {0x05, "DID_ABORT"},
    {0x06, "DID_PARITY"},
    {0x07, "DID_ERROR"},
    {0x08, "DID_RESET"},
    {0x09, "DID_BAD_INTR"},
    {0x0a, "DID_PASSTHROUGH"},
    {0x0b, "DID_SOFT_ERROR"},
    {0x0c, "DID_IMM_RETRY"},
    {0x0d, "DID_REQUEUE"},
    {0x0e, "DID_TRANSPORT_DISRUPTED"},
    {0x0f, "DID_TRANSPORT_FAILFAST"},
    {0x14, "DID_TRANSPORT_MARGINAL"},
};

using StatusNames = std::array<std::string, 256>;

// The names that libsgutils2 has for statuses; "" for a status that has none.
StatusNames ReadStatusNames() {
  // libsgutils2 ignores the other bits, which are reserved: it would name 0x03 as 0x02.
  constexpr size_t kStatusBits = 0x7e;
  StatusNames names;
  for (size_t status = 0; status < names.size(); status++) {
    NameBuffer buffer{};
    sg_get_scsi_status_str(static_cast<int>(status), buffer.size(), buffer.data());
    const std::string_view name = buffer.data();
    if ((status & ~kStatusBits) == 0 && name.find("0x") == std::string_view::npos)
      names[status] = name;
  }
  return names;
}

bool HasServiceAction(uint8_t opcode) {
  switch (opcode) {
    case 0x48:
    case 0xa9:
    case 0x5e:
    case 0x5f:
    case 0x7f:
    case 0x83:
    case 0x84:
    case 0x94:
    case 0x95:
    case 0x9d:
    case 0x9e:
    case 0x9f:
    case 0xa3:
    case 0xa4:
    case 0xab: return true;
    default: return false;
  }
}

// Modes of READ BUFFER and WRITE BUFFER stand where other commands have a service action.
// libsgutils2 names the service actions of READ ATTRIBUTE like modes.
bool HasMode(uint8_t opcode) {
  return opcode == 0x3b || opcode == 0x3c || opcode == 0x8c || opcode == 0x9b;
}

std::string HexName(const uint8_t* cdb) {
  if (!HasServiceAction(cdb[0])) return fmt::format("0x{:02x}", cdb[0]);
  const unsigned action =
      cdb[0] == SCSI_VARIABLE_LENGTH ? lunscope_be16(cdb + 8) : scsi_service_action(cdb);
  return fmt::format("0x{:02x}/0x{:02x}", cdb[0], action);
}

constexpr int kDiskType = 0x00;
constexpr int kTapeType = 0x01;
constexpr int kMultimediaType = 0x05;
constexpr int kChangerType = 0x08;
constexpr int kAutomationType = 0x12;
constexpr int kNoType = 0x1f;  // "unknown or no device type" (SPC-5 table 145)

struct TypedEntry {
  int device_type;
  uint8_t opcode;
  std::string_view name;
};

// Commands for which libsgutils2 has only the name of another device type. The names are those of
// SSC-4, SMC-3 and MMC-6, with the commands that MMC-6 declares obsolete.
constexpr TypedEntry kNamesOfType[] = {
    {kTapeType, 0x82, "Allow overwrite"},
    {kMultimediaType, 0x44, "Read header"},
    {kMultimediaType, 0x53, "Reserve track"},
    {kChangerType, 0x1b, "Open/close import/export element"},
    {kChangerType, 0x44, "Report volume types supported"},
};

// MMC has SEND KEY and REPORT KEY at opcodes at which other devices have commands with service
// actions.
bool IsKeyOfMultimedia(const uint8_t* cdb) { return cdb[0] == 0xa3 || cdb[0] == 0xa4; }

std::string OpcodeName(uint8_t opcode, int device_type) {
  NameBuffer buffer{};
  sg_get_opcode_name(opcode, device_type, buffer.size(), buffer.data());
  return buffer.data();
}

// "" for a command that has no name.
std::string NameOfType(const uint8_t* cdb, int device_type) {
  const auto* own = std::ranges::find_if(kNamesOfType, [&](const TypedEntry& each) {
    return each.device_type == device_type && each.opcode == cdb[0];
  });
  if (own != std::end(kNamesOfType)) return std::string(own->name);
  NameBuffer buffer{};
  if (device_type == kMultimediaType && IsKeyOfMultimedia(cdb))
    return OpcodeName(cdb[0], device_type);
  sg_get_command_name(cdb, device_type, buffer.size(), buffer.data());
  // For a command without a name libsgutils2 returns "Opcode=0x..", "... service action=0x..",
  // "Reserved [0x..]" or "Vendor specific [0x..]".
  const std::string_view name = buffer.data();
  const bool is_named = name.find("0x") == std::string_view::npos &&
                        name.find("ervice action") == std::string_view::npos;
  if (is_named) return std::string(name);
  if (!HasMode(cdb[0])) return {};
  return fmt::format("{}, mode 0x{:02x}", OpcodeName(cdb[0], device_type),
                     scsi_service_action(cdb));
}

std::string NameOrNumbers(const std::string& name, const uint8_t* cdb) {
  return name.empty() ? HexName(cdb) : name;
}

// The name that the device types behind iSCSI share. If their names differ: the opcode and all of
// the names. The keys of MMC have a reserved byte 1, so a service action other than 0 is not
// theirs.
std::string NameOfAnyType(const uint8_t* cdb) {
  std::vector<std::string> names;
  for (const int type : {kDiskType, kTapeType, kMultimediaType, kChangerType, kAutomationType}) {
    if (type == kMultimediaType && IsKeyOfMultimedia(cdb) && scsi_service_action(cdb) != 0)
      continue;
    const std::string name = NameOfType(cdb, type);
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  // For some types libsgutils2 has the name of the group alone: "Sanitize".
  const std::vector<std::string> all = names;
  std::erase_if(names, [&](const std::string& name) {
    return std::ranges::any_of(
        all, [&](const std::string& each) { return each.starts_with(name + ", "); });
  });
  if (names.size() > 1) return fmt::format("{}: {}", HexName(cdb), fmt::join(names, " or "));
  return NameOrNumbers(names.empty() ? std::string() : names.front(), cdb);
}

using CommandNames = std::array<std::string, 256>;

CommandNames ReadNamesOfAnyType() {
  CommandNames names;
  for (size_t opcode = 0; opcode < names.size(); opcode++) {
    const std::array<uint8_t, ISCSI_CDB_BYTES> cdb = {static_cast<uint8_t>(opcode)};
    names[opcode] = NameOfAnyType(cdb.data());
  }
  return names;
}

}  // namespace

std::string CommandName(const uint8_t* cdb, int device_type) {
  if (device_type >= 0 && device_type != kNoType)
    return NameOrNumbers(NameOfType(cdb, device_type), cdb);
  // These have further names by byte 1, and are rare: no table is made of them.
  constexpr uint8_t kReadPosition = 0x34;
  if (HasServiceAction(cdb[0]) || HasMode(cdb[0]) || cdb[0] == kReadPosition)
    return NameOfAnyType(cdb);
  static const CommandNames kNames = ReadNamesOfAnyType();
  return kNames[cdb[0]];
}

std::string_view ScsiStatusName(uint32_t status) {
  static const StatusNames kNames = ReadStatusNames();
  return status < kNames.size() ? std::string_view(kNames[status]) : std::string_view();
}

std::string StatusName(uint8_t status) { return NameOrHex(ScsiStatusName(status), status); }

std::string_view ScsiHostStatusName(uint32_t host_status) {
  return NameIn(kHostStatuses, host_status);
}

std::string HostStatusName(uint8_t host_status) {
  return NameOrHex(ScsiHostStatusName(host_status), host_status);
}

std::string RoleLabel(uint8_t role) {
  switch (role) {
    case LUNSCOPE_ROLE_INITIATOR: return "initiator";
    case LUNSCOPE_ROLE_TARGET: return "target";
    default: return "unknown";
  }
}

std::string OperationLabel(size_t operation) {
  constexpr std::array<const char*, SCSI_OPERATIONS> kLabels = {"read",    "write",   "flush",
                                                                "discard", "control", "other"};
  return kLabels[operation];
}

std::string StatusLabel(uint8_t status) { return SnakeCase(StatusName(status)); }

std::string HostStatusLabel(uint8_t host_status) { return SnakeCase(HostStatusName(host_status)); }

std::string SenseText(uint8_t key, uint8_t asc, uint8_t ascq) {
  NameBuffer key_name{};
  sg_get_sense_key_str(key, key_name.size(), key_name.data());
  NameBuffer additional{};
  sg_get_asc_ascq_str(asc, ascq, additional.size(), additional.data());
  // "Additional sense: Unrecovered read error", or "ASC=.." and "vendor specific ASC=.." of a code
  // without a name.
  constexpr std::string_view kNamed = "Additional sense: ";
  const std::string_view said = additional.data();
  const bool is_named = said.starts_with(kNamed) && (asc != 0 || ascq != 0);
  return is_named ? fmt::format("{}: {}", key_name.data(), said.substr(kNamed.size()))
                  : std::string(key_name.data());
}

std::string SenseKeyLabel(uint8_t key) {
  NameBuffer buffer{};
  sg_get_sense_key_str(key, buffer.size(), buffer.data());
  return SnakeCase(buffer.data());
}

}  // namespace lunscope
