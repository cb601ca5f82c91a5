// SPDX-License-Identifier: Apache-2.0
//
// Names of commands by opcode, service action and device type; of codes as labels. A command
// without a name is shown as numbers, and never by a wrong name.
#include "collector/names/names.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lunscope/iscsi.h>
#include <lunscope/scsi.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace lunscope {
namespace {

using Cdb = std::array<uint8_t, ISCSI_CDB_BYTES>;

constexpr int kUnknown = -1;
constexpr int kDisk = 0x00;
constexpr int kTape = 0x01;
constexpr int kCd = 0x05;
constexpr int kChanger = 0x08;
constexpr int kNone = 0x1f;

struct Row {
  Cdb cdb;
  int device_type;
  const char* name;
};

constexpr Row kRows[] = {
    {{0x00}, kDisk, "Test Unit Ready"},
    {{0x12}, kDisk, "Inquiry"},
    {{0x28}, kDisk, "Read(10)"},
    {{0x2a}, kDisk, "Write(10)"},
    {{0x35}, kDisk, "Synchronize cache(10)"},
    {{0x42}, kDisk, "Unmap"},
    {{0x88}, kDisk, "Read(16)"},
    {{0x8a}, kDisk, "Write(16)"},
    {{0x89}, kDisk, "Compare and write"},
    {{0xa0}, kDisk, "Report luns"},

    // One opcode, one name for each device type.
    {{0x08}, kDisk, "Read(6)"},
    {{0x08}, kTape, "Read(6)"},
    {{0x05}, kTape, "Read Block Limits"},
    {{0x2b}, kDisk, "Seek(10)"},
    {{0x2b}, kTape, "Locate(10)"},
    {{0x2b}, kChanger, "Position to element"},
    {{0x07}, kDisk, "Reassign Blocks"},
    {{0x07}, kChanger, "Initialize element status"},
    {{0x91}, kDisk, "Synchronize cache(16)"},
    {{0x91}, kTape, "Space(16)"},
    {{0x92}, kTape, "Locate(16)"},
    {{0xa5}, kChanger, "Move medium"},
    {{0xb8}, kChanger, "Read element status"},
    {{0x43}, kCd, "Read TOC/PMA/ATIP"},
    {{0xa3, 0}, kCd, "Send key"},
    {{0xa4, 0}, kCd, "Report key"},
    {{0x1b}, kTape, "Load unload"},
    {{0x34}, kTape, "Read position, short form - block id"},
    {{0x93}, kTape, "Erase(16)"},
    {{0x82}, kTape, "Allow overwrite"},
    {{0x1b}, kChanger, "Open/close import/export element"},
    {{0x44}, kChanger, "Report volume types supported"},
    {{0x44}, kCd, "Read header"},
    {{0x53}, kCd, "Reserve track"},
    {{0x37}, kChanger, "Initialize element status with range"},
    // A device of an unknown type: a name counts if all device types use it.
    {{0x88}, kUnknown, "Read(16)"},
    {{0x08}, kUnknown, "Read(6)"},
    {{0x11}, kUnknown, "Space(6)"},
    {{0x12}, kUnknown, "Inquiry"},
    {{0x9e, 0x10}, kUnknown, "Read capacity(16)"},
    {{0xa3, 0x0a}, kUnknown, "Report target port groups"},
    {{0x48, 0x01}, kUnknown, "Sanitize, overwrite"},
    {{0xc0}, kUnknown, "0xc0"},
    {{0x01}, kUnknown, "0x01: Rezero Unit or Rewind"},
    {{0x2b}, kUnknown, "0x2b: Seek(10) or Locate(10) or Position to element"},
    {{0x42}, kUnknown, "0x42: Unmap or Read sub-channel"},
    {{0x91}, kUnknown, "0x91: Synchronize cache(16) or Space(16)"},
    {{0xa3, 0x00},
     kUnknown,
     "0xa3/0x00: Report assigned/unassigned p_extent or Send key or Report automation device "
     "attributes"},
    {{0xa3, 0x1d},
     kUnknown,
     "0xa3/0x1d: Report provisioning initialization pattern or Receive recommended access order"},
    {{0x9d, 0x01}, kUnknown, "0x9d/0x01"},
    {{0x2b}, kNone, "0x2b: Seek(10) or Locate(10) or Position to element"},
    // A mode is a name of its own, also where the type is not known.
    {{0x3b, 0x05}, kDisk, "Write buffer, download microcode, save, and activate"},
    {{0x3b, 0x05}, kUnknown, "Write buffer, download microcode, save, and activate"},
    {{0x3b, 0xe5}, kUnknown, "Write buffer, download microcode, save, and activate"},
    {{0x3b, 0x0d},
     kUnknown,
     "Write buffer, download microcode with offsets, select activation events, save and defer "
     "activate"},
    {{0x3b, 0x01}, kUnknown, "Write buffer, mode 0x01"},
    {{0x3c, 0x1c}, kUnknown, "Read buffer(10), error history"},
    {{0x3c, 0x0f}, kDisk, "Read buffer(10), mode 0x0f"},
    {{0x9b, 0x03}, kUnknown, "Read buffer(16), descriptor"},
    {{0x8c, 0x02}, kUnknown, "Read attribute, logical volume list"},
    {{0x34, 0x06}, kUnknown, "0x34: Pre-fetch(10) or Read position, long form"},

    // Service actions.
    {{0x9e, 0x10}, kDisk, "Read capacity(16)"},
    {{0x9e, 0x12}, kDisk, "Get LBA status(16)"},
    {{0x5e, 0x00}, kDisk, "Persistent reserve in, read keys"},
    {{0x5f, 0x06}, kDisk, "Persistent reserve out, register and ignore existing key"},
    {{0xa3, 0x0a}, kDisk, "Report target port groups"},
    {{0xa3, 0x0c}, kDisk, "Report supported operation codes"},
    {{0x48, 0x01}, kDisk, "Sanitize, overwrite"},
    // The three highest bits of byte 1 are no part of it.
    {{0x9e, 0xf0}, kDisk, "Read capacity(16)"},
    {{0x7f, 0, 0, 0, 0, 0, 0, 24, 0x00, 0x09}, kDisk, "Read(32)"},
    {{0x7f, 0, 0, 0, 0, 0, 0, 24, 0x00, 0x0b}, kDisk, "Write(32)"},

    // No name: the opcode, and the service action where the opcode has one.
    {{0x02}, kDisk, "0x02"},
    {{0x49}, kDisk, "0x49"},
    {{0x60}, kDisk, "0x60"},
    {{0x7e}, kDisk, "0x7e"},
    {{0xc0}, kDisk, "0xc0"},
    {{0xff}, kTape, "0xff"},
    {{0x9e, 0x1f}, kDisk, "0x9e/0x1f"},
    {{0x5e, 0x1f}, kDisk, "0x5e/0x1f"},
    {{0xa9, 0x00}, kDisk, "0xa9/0x00"},
    {{0x48, 0x00}, kDisk, "0x48/0x00"},
    {{0x7f, 0, 0, 0, 0, 0, 0, 24, 0x12, 0x34}, kDisk, "0x7f/0x1234"},
};

TEST(CommandName, IsByOpcodeServiceActionAndDeviceType) {
  for (const Row& row : kRows) {
    EXPECT_EQ(CommandName(row.cdb.data(), row.device_type), row.name)
        << fmt::format("{:02x} {:02x}, device type {}", row.cdb[0], row.cdb[1], row.device_type);
  }
}

// Words of libsgutils2 that say "no name" in some way.
bool IsSuspicious(const std::string& name) {
  for (const char* word :
       {"nknown", "ervice action", "Reserved [", "Vendor specific [", "pcode", "=0x", "[0x"}) {
    if (name.find(word) != std::string::npos) return true;
  }
  return name.empty();
}

// "0x9e" or "0x9e/0x1f", of this very opcode.
bool IsHex(const std::string& name, uint8_t opcode) {
  const std::string hex = fmt::format("0x{:02x}", opcode);
  return name == hex || name.starts_with(hex + "/0x");
}

bool IsPrintable(const std::string& name) {
  return name.find_first_of("\"\\\n\x1b") == std::string::npos;
}

TEST(CommandName, IsANameOrItsNumbersForEveryCdb) {
  std::set<std::string> suspicious;
  for (int device_type = kUnknown; device_type <= 0x1f; device_type++) {
    for (int opcode = 0; opcode < 256; opcode++) {
      for (int action = 0; action < 32; action++) {
        const auto byte = static_cast<uint8_t>(action);
        Cdb cdb = {static_cast<uint8_t>(opcode), byte};
        if (opcode == SCSI_VARIABLE_LENGTH) cdb[9] = byte;
        const std::string name = CommandName(cdb.data(), device_type);
        EXPECT_TRUE(IsPrintable(name)) << name;
        EXPECT_LT(name.size(), 120u) << name;
        if (IsHex(name, cdb[0])) continue;
        if (IsSuspicious(name)) suspicious.insert(name);
      }
    }
  }
  EXPECT_THAT(suspicious, ::testing::IsEmpty());
}

TEST(SenseText, HasTheNamesOfKeyAndAdditionalSense) {
  struct {
    uint8_t key, asc, ascq;
    const char* text;
  } const rows[] = {
      {0x3, 0x11, 0x00, "Medium Error: Unrecovered read error"},
      {0x6, 0x29, 0x00, "Unit Attention: Power on, reset, or bus device reset occurred"},
      {0xb, 0x47, 0x05, "Aborted Command: Protocol service CRC error"},
      {0x2, 0x04, 0x0a,
       "Not Ready: Logical unit not accessible, asymmetric access state transition"},
      {0x0, 0x00, 0x01, "No Sense: Filemark detected"},
      // Nothing is said of the cause, or a code of the vendor or of a later standard.
      {0x5, 0x00, 0x00, "Illegal Request"},
      {0x4, 0x80, 0x00, "Hardware Error"},
      {0x4, 0x3e, 0xc0, "Hardware Error"},
      {0x9, 0xff, 0xff, "Vendor specific(9)"},
  };
  for (const auto& row : rows) EXPECT_EQ(SenseText(row.key, row.asc, row.ascq), row.text);
  for (int key = 0; key < 256; key++) {
    for (int asc = 0; asc < 256; asc++) {
      for (const uint8_t ascq : {0x00, 0x01, 0x80, 0xff}) {
        const std::string text =
            SenseText(static_cast<uint8_t>(key), static_cast<uint8_t>(asc), ascq);
        EXPECT_EQ(text.find("ASC"), std::string::npos) << text;
        EXPECT_TRUE(IsPrintable(text)) << text;
      }
    }
  }
}

struct LabelRow {
  std::string label;
  const char* wanted;
};

TEST(Label, IsSnakeCaseOrHex) {
  const LabelRow rows[] = {
      {RoleLabel(LUNSCOPE_ROLE_INITIATOR), "initiator"},
      {RoleLabel(LUNSCOPE_ROLE_TARGET), "target"},
      {RoleLabel(LUNSCOPE_ROLE_UNKNOWN), "unknown"},
      {RoleLabel(255), "unknown"},
      {OperationLabel(SCSI_OPERATION_READ), "read"},
      {OperationLabel(SCSI_OPERATION_WRITE), "write"},
      {OperationLabel(SCSI_OPERATION_FLUSH), "flush"},
      {OperationLabel(SCSI_OPERATION_DISCARD), "discard"},
      {OperationLabel(SCSI_OPERATION_CONTROL), "control"},
      {OperationLabel(SCSI_OPERATION_OTHER), "other"},
      {StatusLabel(0x00), "good"},
      {StatusLabel(0x02), "check_condition"},
      {StatusLabel(0x04), "condition_met"},
      {StatusLabel(0x08), "busy"},
      {StatusLabel(0x18), "reservation_conflict"},
      {StatusLabel(0x28), "task_set_full"},
      {StatusLabel(0x30), "aca_active"},
      {StatusLabel(0x40), "task_aborted"},
      // SAM-5 has no masks: a status that is one bit off is another one.
      {StatusLabel(0x03), "0x03"},
      {StatusLabel(0x82), "0x82"},
      {StatusLabel(0x06), "0x06"},
      {StatusLabel(0xff), "0xff"},
      {SenseKeyLabel(0x0), "no_sense"},
      {SenseKeyLabel(0x3), "medium_error"},
      {SenseKeyLabel(0x5), "illegal_request"},
      {SenseKeyLabel(0x6), "unit_attention"},
      {SenseKeyLabel(0xb), "aborted_command"},
      {OpcodeLabel(ISCSI_SCSI_COMMAND), "scsi_command"},
      {OpcodeLabel(ISCSI_REJECT), "reject"},
      {OpcodeLabel(0x1c), "0x1c"},
      {OpcodeLabel(0x3f), "reject"},
      {RejectLabel(0x02), "data_digest_error"},
      {RejectLabel(0x09), "invalid_pdu_field"},
      {RejectLabel(0x00), "0x00"},
      {RejectLabel(0xff), "0xff"},
      {TaskFunctionLabel(1), "abort_task"},
      {TaskFunctionLabel(5), "logical_unit_reset"},
      {TaskFunctionLabel(0x7f), "0x7f"},
      {AsyncEventLabel(0), "scsi_event"},
      {AsyncEventLabel(3), "session_drop"},
      {AsyncEventLabel(255), "0xff"},
  };
  for (const LabelRow& row : rows) EXPECT_EQ(row.label, row.wanted);
}

struct NamesRow {
  const char* what;
  CodeName name_of;
  std::vector<std::pair<uint32_t, const char*>> names;
};

// All names, by code: RFC 7143 section 11, RFC 7144, and include/scsi/scsi_status.h of Linux.
const NamesRow kNames[] = {
    {"task attribute",
     TaskAttributeName,
     {{0, "Untagged"}, {1, "SIMPLE"}, {2, "ORDERED"}, {3, "HEAD OF QUEUE"}, {4, "ACA"}}},
    {"SCSI response", ScsiResponseName, {{0, "completed"}, {1, "target failure"}}},
    {"task function",
     TaskFunctionName,
     {{1, "ABORT TASK"},
      {2, "ABORT TASK SET"},
      {3, "CLEAR ACA"},
      {4, "CLEAR TASK SET"},
      {5, "LOGICAL UNIT RESET"},
      {6, "TARGET WARM RESET"},
      {7, "TARGET COLD RESET"},
      {8, "TASK REASSIGN"},
      {9, "QUERY TASK"},
      {10, "QUERY TASK SET"},
      {11, "I_T NEXUS RESET"},
      {12, "QUERY ASYNCHRONOUS EVENT"}}},
    {"task response",
     TaskResponseName,
     {{0, "Function complete"},
      {1, "Task does not exist"},
      {2, "LUN does not exist"},
      {3, "Task still allegiant"},
      {4, "Task allegiance reassignment not supported"},
      {5, "Task management function not supported"},
      {6, "Function authorization failed"},
      {7, "Function succeeded"},
      {255, "Function rejected"}}},
    {"login stage",
     LoginStageName,
     {{0, "SecurityNegotiation"}, {1, "LoginOperationalNegotiation"}, {3, "FullFeaturePhase"}}},
    {"login status class",
     LoginStatusClassName,
     {{0, "Success"}, {1, "Redirection"}, {2, "Initiator Error"}, {3, "Target Error"}}},
    {"login status",
     LoginStatusName,
     {{0x0000, "Success"},
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
      {0x0302, "Out of resources"}}},
    {"logout reason",
     LogoutReasonName,
     {{0, "close the session"},
      {1, "close the connection"},
      {2, "remove the connection for recovery"}}},
    {"logout response",
     LogoutResponseName,
     {{0, "closed successfully"},
      {1, "CID not found"},
      {2, "connection recovery not supported"},
      {3, "cleanup failed"}}},
    {"SNACK type",
     SnackTypeName,
     {{0, "Data/R2T SNACK"}, {1, "Status SNACK"}, {2, "DataACK"}, {3, "R-Data SNACK"}}},
    {"async event",
     AsyncEventName,
     {{0, "SCSI Event"},
      {1, "Logout Request"},
      {2, "Connection Drop"},
      {3, "Session Drop"},
      {4, "Negotiation Request"},
      {5, "Task Termination"}}},
    {"reject reason",
     RejectReasonName,
     {{1, "Reserved"},
      {2, "Data Digest Error"},
      {3, "SNACK Reject"},
      {4, "Protocol Error"},
      {5, "Command Not Supported"},
      {6, "Immediate Command Reject"},
      {7, "Task In Progress"},
      {8, "Invalid Data ACK"},
      {9, "Invalid PDU Field"},
      {10, "Long Operation Reject"},
      {11, "Deprecated"},
      {12, "Waiting for Logout"}}},
    {"ISID type", IsidTypeName, {{0, "OUI"}, {1, "EN"}, {2, "Random"}}},
    {"host status",
     ScsiHostStatusName,
     {{0x00, "DID_OK"},
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
      {0x14, "DID_TRANSPORT_MARGINAL"}}},
    {"AHS type",
     AhsTypeName,
     {{1, "Extended CDB"}, {2, "Expected Bidirectional Read Data Length"}}},
};

TEST(Name, IsThatOfTheStandardOrNone) {
  for (const NamesRow& row : kNames) {
    auto wanted = row.names.begin();
    for (uint32_t code = 0; code < 0x10000; code++) {
      const bool is_named = wanted != row.names.end() && wanted->first == code;
      EXPECT_EQ(row.name_of(code), is_named ? (wanted++)->second : "") << row.what << " " << code;
    }
    EXPECT_EQ(wanted, row.names.end()) << row.what;
  }
}

template <typename Labeller>
void ExpectDistinctLabels(const char* what, int codes, Labeller label_of) {
  std::set<std::string> labels;
  std::set<std::string> shared;
  for (int code = 0; code < codes; code++) {
    const std::string label = label_of(static_cast<uint8_t>(code));
    if (!labels.insert(label).second) shared.insert(label);
    EXPECT_TRUE(std::all_of(label.begin(), label.end(), [](char c) {
      return std::islower(c) || std::isdigit(c) || c == '_';
    })) << label;
  }
  EXPECT_THAT(shared, ::testing::IsEmpty()) << what;
}

// Two codes with one label would be two series of one name, of which Prometheus drops one.
TEST(Label, IsNotThatOfAnotherCode) {
  ExpectDistinctLabels("status", 256, StatusLabel);
  ExpectDistinctLabels("host status", 256, HostStatusLabel);
  ExpectDistinctLabels("sense key", 16, SenseKeyLabel);
  ExpectDistinctLabels("opcode", 64, OpcodeLabel);
  ExpectDistinctLabels("reject reason", 256, RejectLabel);
  ExpectDistinctLabels("task function", 128, TaskFunctionLabel);
  ExpectDistinctLabels("async event", 256, AsyncEventLabel);
  ExpectDistinctLabels("login failure", kLoginFailures, LoginFailureLabel);
}

}  // namespace
}  // namespace lunscope
