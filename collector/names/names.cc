// SPDX-License-Identifier: Apache-2.0
#include "collector/names/names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <lunscope/iscsi.h>
#include <lunscope/scsi.h>
#include <scsi/sg_lib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <string_view>
#include <vector>

namespace lunscope {
namespace {

using NameBuffer = std::array<char, 80>;

struct Entry {
  uint16_t code;
  std::string_view name;
};

// RFC 7143 section 11.2.1.2
constexpr Entry kOpcodes[] = {
    {ISCSI_NOP_OUT, "NOP-Out"},
    {ISCSI_SCSI_COMMAND, "SCSI Command"},
    {ISCSI_TASK_REQUEST, "Task Management Request"},
    {ISCSI_LOGIN_REQUEST, "Login Request"},
    {ISCSI_TEXT_REQUEST, "Text Request"},
    {ISCSI_DATA_OUT, "Data-Out"},
    {ISCSI_LOGOUT_REQUEST, "Logout Request"},
    {ISCSI_SNACK_REQUEST, "SNACK Request"},
    {ISCSI_NOP_IN, "NOP-In"},
    {ISCSI_SCSI_RESPONSE, "SCSI Response"},
    {ISCSI_TASK_RESPONSE, "Task Management Response"},
    {ISCSI_LOGIN_RESPONSE, "Login Response"},
    {ISCSI_TEXT_RESPONSE, "Text Response"},
    {ISCSI_DATA_IN, "Data-In"},
    {ISCSI_LOGOUT_RESPONSE, "Logout Response"},
    {ISCSI_R2T, "R2T"},
    {ISCSI_ASYNC_MESSAGE, "Async Message"},
    {ISCSI_REJECT, "Reject"},
};

// RFC 7143 section 11.2.2.1
constexpr Entry kAhsTypes[] = {
    {1, "Extended CDB"},
    {2, "Expected Bidirectional Read Data Length"},
};

// RFC 7143 section 11.3.1
constexpr Entry kTaskAttributes[] = {
    {0, "Untagged"}, {1, "SIMPLE"}, {2, "ORDERED"}, {3, "HEAD OF QUEUE"}, {4, "ACA"},
};

// include/scsi/scsi_status.h of Linux: enum scsi_host_status
constexpr Entry kHostStatuses[] = {
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

// RFC 7143 section 11.4.3
constexpr Entry kScsiResponses[] = {{0x00, "completed"}, {0x01, "target failure"}};

// RFC 7143 section 11.5.1, RFC 7144 section 7
constexpr Entry kTaskFunctions[] = {
    {ISCSI_TASK_ABORT_TASK, "ABORT TASK"},
    {ISCSI_TASK_ABORT_TASK_SET, "ABORT TASK SET"},
    {ISCSI_TASK_CLEAR_ACA, "CLEAR ACA"},
    {ISCSI_TASK_CLEAR_TASK_SET, "CLEAR TASK SET"},
    {ISCSI_TASK_LUN_RESET, "LOGICAL UNIT RESET"},
    {ISCSI_TASK_TARGET_WARM_RESET, "TARGET WARM RESET"},
    {ISCSI_TASK_TARGET_COLD_RESET, "TARGET COLD RESET"},
    {ISCSI_TASK_REASSIGN, "TASK REASSIGN"},
    {ISCSI_TASK_QUERY_TASK, "QUERY TASK"},
    {ISCSI_TASK_QUERY_TASK_SET, "QUERY TASK SET"},
    {ISCSI_TASK_NEXUS_RESET, "I_T NEXUS RESET"},
    {ISCSI_TASK_QUERY_ASYNC_EVENT, "QUERY ASYNCHRONOUS EVENT"},
};

// RFC 7143 section 11.6.1, RFC 7144
constexpr Entry kTaskResponses[] = {
    {0, "Function complete"},
    {1, "Task does not exist"},
    {2, "LUN does not exist"},
    {3, "Task still allegiant"},
    {4, "Task allegiance reassignment not supported"},
    {5, "Task management function not supported"},
    {6, "Function authorization failed"},
    {7, "Function succeeded"},
    {255, "Function rejected"},
};

// RFC 7143 section 11.9.1
constexpr Entry kAsyncEvents[] = {
    {0, "SCSI Event"},   {1, "Logout Request"},      {2, "Connection Drop"},
    {3, "Session Drop"}, {4, "Negotiation Request"}, {5, "Task Termination"},
};

// RFC 7143 section 11.12.3
constexpr Entry kLoginStages[] = {
    {0, "SecurityNegotiation"},
    {1, "LoginOperationalNegotiation"},
    {3, "FullFeaturePhase"},
};

// RFC 7143 section 11.12.5
constexpr Entry kIsidTypes[] = {{0, "OUI"}, {1, "EN"}, {2, "Random"}};

// RFC 7143 section 11.13.5
constexpr Entry kLoginStatusClasses[] = {
    {0, "Success"}, {1, "Redirection"}, {2, "Initiator Error"}, {3, "Target Error"}};

// RFC 7143 section 11.13.5: class and detail
constexpr Entry kLoginStatuses[] = {
    {0x0000, "Success"},
    {0x0101, "Target moved temporarily"},
    {0x0102, "Target moved permanently"},
    {0x0200, "Initiator error"},
    {0x0201, "Authentication failure"},
    {0x0202, "Authorization failure"},
    {0x0203, "Not found"},
    {0x0204, "Target removed"},
    {0x0205, "Unsupported version"},
    {0x0206, "Too many connections"},
    {0x0207, "Missing parameter"},
    {0x0208, "Can't include in session"},
    {0x0209, "Session type not supported"},
    {0x020a, "Session does not exist"},
    {0x020b, "Invalid request during login"},
    {0x0300, "Target error"},
    {0x0301, "Service unavailable"},
    {0x0302, "Out of resources"},
};

// RFC 7143 section 11.14.1
constexpr Entry kLogoutReasons[] = {
    {0, "close the session"},
    {1, "close the connection"},
    {2, "remove the connection for recovery"},
};

// RFC 7143 section 11.15.1
constexpr Entry kLogoutResponses[] = {
    {0, "closed successfully"},
    {1, "CID not found"},
    {2, "connection recovery not supported"},
    {3, "cleanup failed"},
};

// RFC 7143 section 11.16.1
constexpr Entry kSnackTypes[] = {
    {0, "Data/R2T SNACK"}, {1, "Status SNACK"}, {2, "DataACK"}, {3, "R-Data SNACK"}};

// RFC 7143 section 11.17.1
constexpr Entry kRejectReasons[] = {
    {0x01, "Reserved"},
    {0x02, "Data Digest Error"},
    {0x03, "SNACK Reject"},
    {0x04, "Protocol Error"},
    {0x05, "Command Not Supported"},
    {0x06, "Immediate Command Reject"},
    {0x07, "Task In Progress"},
    {0x08, "Invalid Data ACK"},
    {0x09, "Invalid PDU Field"},
    {0x0a, "Long Operation Reject"},
    {0x0b, "Deprecated"},
    {0x0c, "Waiting for Logout"},
};

template <size_t N>
std::string_view NameIn(const Entry (&table)[N], uint32_t code) {
  const auto* entry = std::find_if(std::begin(table), std::end(table),
                                   [&](const Entry& each) { return each.code == code; });
  return entry != std::end(table) ? entry->name : std::string_view();
}

// "Check Condition" -> "check_condition"
std::string SnakeCase(std::string_view name) {
  std::string label;
  for (char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      label.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    } else if (!label.empty() && label.back() != '_') {
      label.push_back('_');
    }
  }
  while (!label.empty() && label.back() == '_') label.pop_back();
  return label;
}

std::string NameOrHex(std::string_view name, uint8_t code) {
  return name.empty() ? fmt::format("0x{:02x}", code) : std::string(name);
}

std::string LabelOf(std::string_view name, uint8_t code) {
  return SnakeCase(NameOrHex(name, code));
}

using StatusNames = std::array<std::string, 256>;

// libsgutils2's names of all statuses; "" for those that have none.
StatusNames ReadStatusNames() {
  constexpr size_t kStatusBits = 0x7e;  // libsgutils2 ignores the others, which are reserved
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
    case 0x9e:
    case 0x9f:
    case 0xa3:
    case 0xa4:
    case 0xab: return true;
    default: return false;
  }
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
constexpr int kNoType = 0x1f;  // "unknown or no device type" (SPC-5 table 145)

struct TypedEntry {
  int device_type;
  uint8_t opcode;
  std::string_view name;
};

// Where libsgutils2 has the name of another type (SSC-4, SMC-3, and MMC-6 with what it declares
// obsolete).
constexpr TypedEntry kNamesOfType[] = {
    {kTapeType, 0x82, "Allow overwrite"},
    {kMultimediaType, 0x44, "Read header"},
    {kMultimediaType, 0x53, "Reserve track"},
    {kChangerType, 0x1b, "Open/close import/export element"},
    {kChangerType, 0x44, "Report volume types supported"},
};

// MMC's SEND KEY and REPORT KEY stand where other devices have commands with service actions.
bool IsKeyOfMultimedia(const uint8_t* cdb) { return cdb[0] == 0xa3 || cdb[0] == 0xa4; }

// "" if it has none.
std::string NameOfType(const uint8_t* cdb, int device_type) {
  const auto* own = std::ranges::find_if(kNamesOfType, [&](const TypedEntry& each) {
    return each.device_type == device_type && each.opcode == cdb[0];
  });
  if (own != std::end(kNamesOfType)) return std::string(own->name);
  NameBuffer buffer{};
  if (device_type == kMultimediaType && IsKeyOfMultimedia(cdb)) {
    sg_get_opcode_name(cdb[0], device_type, buffer.size(), buffer.data());
  } else {
    sg_get_command_name(cdb, device_type, buffer.size(), buffer.data());
  }
  // Where its tables end libsgutils2 says "Opcode=0x..", "... service action=0x..", "Reserved
  // [0x..]" or "Vendor specific [0x..]".
  const std::string_view name = buffer.data();
  const bool is_named = name.find("0x") == std::string_view::npos &&
                        name.find("ervice action") == std::string_view::npos;
  return is_named ? std::string(name) : std::string();
}

std::string NameOrNumbers(const std::string& name, const uint8_t* cdb) {
  return name.empty() ? HexName(cdb) : name;
}

// Where the types of devices that stand behind iSCSI differ, the opcode and what it may be.
std::string NameOfAnyType(const uint8_t* cdb) {
  std::vector<std::string> names;
  for (const int type : {kDiskType, kTapeType, kMultimediaType, kChangerType}) {
    const std::string name = NameOfType(cdb, type);
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
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
  // With a service action it is no command of MMC's, whose byte 1 is reserved; and libsgutils2 has
  // the names of service actions for disks.
  if (HasServiceAction(cdb[0]) && !(IsKeyOfMultimedia(cdb) && scsi_service_action(cdb) == 0))
    return NameOrNumbers(NameOfType(cdb, kDiskType), cdb);
  static const CommandNames kNames = ReadNamesOfAnyType();
  return kNames[cdb[0]];
}

std::string_view ScsiStatusName(uint32_t status) {
  static const StatusNames kNames = ReadStatusNames();
  return status < kNames.size() ? std::string_view(kNames[status]) : std::string_view();
}

std::string StatusName(uint8_t status) { return NameOrHex(ScsiStatusName(status), status); }
std::string ResponseName(uint8_t response) {
  return NameOrHex(ScsiResponseName(response), response);
}

std::string HostStatusName(uint8_t host_status) {
  return NameOrHex(NameIn(kHostStatuses, host_status), host_status);
}

std::string_view OpcodeName(uint32_t opcode) { return NameIn(kOpcodes, opcode); }
std::string_view TaskAttributeName(uint32_t attribute) {
  return NameIn(kTaskAttributes, attribute);
}
std::string_view ScsiResponseName(uint32_t response) { return NameIn(kScsiResponses, response); }
std::string_view TaskFunctionName(uint32_t function) { return NameIn(kTaskFunctions, function); }
std::string_view TaskResponseName(uint32_t response) { return NameIn(kTaskResponses, response); }
std::string_view LoginStageName(uint32_t stage) { return NameIn(kLoginStages, stage); }
std::string_view LoginStatusClassName(uint32_t status_class) {
  return NameIn(kLoginStatusClasses, status_class);
}
std::string_view LoginStatusName(uint32_t class_and_detail) {
  return NameIn(kLoginStatuses, class_and_detail);
}
std::string_view LogoutReasonName(uint32_t reason) { return NameIn(kLogoutReasons, reason); }
std::string_view LogoutResponseName(uint32_t response) {
  return NameIn(kLogoutResponses, response);
}
std::string_view SnackTypeName(uint32_t type) { return NameIn(kSnackTypes, type); }
std::string_view AsyncEventName(uint32_t event) { return NameIn(kAsyncEvents, event); }
std::string_view RejectReasonName(uint32_t reason) { return NameIn(kRejectReasons, reason); }
std::string_view IsidTypeName(uint32_t type) { return NameIn(kIsidTypes, type); }
std::string_view AhsTypeName(uint32_t type) { return NameIn(kAhsTypes, type); }

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

std::string SenseKeyLabel(uint8_t key) {
  NameBuffer buffer{};
  sg_get_sense_key_str(key, buffer.size(), buffer.data());
  return SnakeCase(buffer.data());
}

std::string OpcodeLabel(uint8_t opcode) { return LabelOf(OpcodeName(opcode), opcode); }
std::string RejectLabel(uint8_t reason) { return LabelOf(RejectReasonName(reason), reason); }
std::string TaskFunctionLabel(uint8_t function) {
  return LabelOf(TaskFunctionName(function), function);
}
std::string AsyncEventLabel(uint8_t event) { return LabelOf(AsyncEventName(event), event); }
std::string LoginStatusClassLabel(uint8_t status_class) {
  return LabelOf(LoginStatusClassName(status_class), status_class);
}

}  // namespace lunscope
