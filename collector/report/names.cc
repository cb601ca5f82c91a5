// SPDX-License-Identifier: Apache-2.0
#include "collector/report/names.h"

#include <fmt/format.h>
#include <lunscope/iscsi.h>
#include <lunscope/scsi.h>
#include <scsi/sg_lib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <string_view>

namespace lunscope {
namespace {

using NameBuffer = std::array<char, 80>;

// RFC 7143 section 11.2.1.2
constexpr std::pair<uint8_t, std::string_view> kOpcodes[] = {
    {ISCSI_NOP_OUT, "nop_out"},
    {ISCSI_SCSI_COMMAND, "scsi_command"},
    {ISCSI_TASK_REQUEST, "task_management_request"},
    {ISCSI_LOGIN_REQUEST, "login_request"},
    {ISCSI_TEXT_REQUEST, "text_request"},
    {ISCSI_DATA_OUT, "data_out"},
    {ISCSI_LOGOUT_REQUEST, "logout_request"},
    {ISCSI_SNACK_REQUEST, "snack_request"},
    {ISCSI_NOP_IN, "nop_in"},
    {ISCSI_SCSI_RESPONSE, "scsi_response"},
    {ISCSI_TASK_RESPONSE, "task_management_response"},
    {ISCSI_LOGIN_RESPONSE, "login_response"},
    {ISCSI_TEXT_RESPONSE, "text_response"},
    {ISCSI_DATA_IN, "data_in"},
    {ISCSI_LOGOUT_RESPONSE, "logout_response"},
    {ISCSI_R2T, "r2t"},
    {ISCSI_ASYNC_MESSAGE, "async_message"},
    {ISCSI_REJECT, "reject"},
};

// RFC 7143 section 11.17.1
constexpr std::pair<uint8_t, std::string_view> kRejectReasons[] = {
    {0x01, "reserved"},
    {0x02, "data_digest_error"},
    {0x03, "snack_reject"},
    {0x04, "protocol_error"},
    {0x05, "command_not_supported"},
    {0x06, "immediate_command_reject"},
    {0x07, "task_in_progress"},
    {0x08, "invalid_data_ack"},
    {0x09, "invalid_pdu_field"},
    {0x0a, "long_operation_reject"},
    {0x0b, "deprecated"},
    {0x0c, "waiting_for_logout"},
};

// RFC 7143 section 11.5.1, RFC 7144 section 7
constexpr std::pair<uint8_t, std::string_view> kTaskFunctions[] = {
    {1, "abort_task"},        {2, "abort_task_set"},     {3, "clear_aca"},
    {4, "clear_task_set"},    {5, "logical_unit_reset"}, {6, "target_warm_reset"},
    {7, "target_cold_reset"}, {8, "task_reassign"},      {9, "query_task"},
    {10, "query_task_set"},   {11, "i_t_nexus_reset"},   {12, "query_asynchronous_event"},
};

// RFC 7143 section 11.9.1
constexpr std::pair<uint8_t, std::string_view> kAsyncEvents[] = {
    {0, "scsi_event"},   {1, "logout_request"},      {2, "connection_drop"},
    {3, "session_drop"}, {4, "negotiation_request"}, {5, "task_termination"},
};

template <size_t N>
std::string LabelIn(const std::pair<uint8_t, std::string_view> (&table)[N], uint8_t code) {
  const auto* entry = std::find_if(std::begin(table), std::end(table),
                                   [&](const auto& each) { return each.first == code; });
  return entry != std::end(table) ? std::string(entry->second) : fmt::format("0x{:02x}", code);
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

bool HasServiceAction(uint8_t opcode) {
  switch (opcode) {
    case 0x48:
    case 0xa9:
    case 0x5e:
    case 0x5f:
    case 0x7f:
    case 0x83:
    case 0x84:
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

}  // namespace

std::string CommandName(const uint8_t* cdb, int device_type) {
  constexpr int kMultimediaType = 0x05;
  const int type = device_type < 0 ? 0 : device_type;
  NameBuffer buffer{};
  // MMC's SEND KEY and REPORT KEY stand where other devices have commands with service actions.
  if (type == kMultimediaType && (cdb[0] == 0xa3 || cdb[0] == 0xa4)) {
    sg_get_opcode_name(cdb[0], type, buffer.size(), buffer.data());
  } else {
    sg_get_command_name(cdb, type, buffer.size(), buffer.data());
  }
  // Where its tables end libsgutils2 says "Opcode=0x..", "... service action=0x..", "Reserved
  // [0x..]" or "Vendor specific [0x..]".
  const std::string_view name = buffer.data();
  const bool is_named = !name.empty() && name.find("0x") == std::string_view::npos &&
                        name.find("ervice action") == std::string_view::npos;
  return is_named ? std::string(name) : HexName(cdb);
}

std::string StatusName(uint8_t status) {
  constexpr uint8_t kStatusBits = 0x7e;  // libsgutils2 ignores the others, which are reserved
  NameBuffer buffer{};
  sg_get_scsi_status_str(status, buffer.size(), buffer.data());
  const std::string_view name = buffer.data();
  const bool is_named = (status & ~kStatusBits) == 0 && name.find("0x") == std::string_view::npos;
  return is_named ? std::string(name) : fmt::format("0x{:02x}", status);
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

std::string SenseKeyLabel(uint8_t key) {
  NameBuffer buffer{};
  sg_get_sense_key_str(key, buffer.size(), buffer.data());
  return SnakeCase(buffer.data());
}

std::string OpcodeLabel(uint8_t opcode) { return LabelIn(kOpcodes, opcode); }
std::string RejectLabel(uint8_t reason) { return LabelIn(kRejectReasons, reason); }
std::string TaskFunctionLabel(uint8_t function) { return LabelIn(kTaskFunctions, function); }
std::string AsyncEventLabel(uint8_t event) { return LabelIn(kAsyncEvents, event); }

}  // namespace lunscope
