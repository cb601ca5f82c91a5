// SPDX-License-Identifier: Apache-2.0
//
// Each row of the tables of sg3_utils (scsi/sg_lib_data.h): opcodes, service actions and modes, by
// device type. A command has the name that its row gives, behind the name of its group or alone.
// kJudged has the rows for which the name is another one, and why.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lunscope/iscsi.h>
#include <scsi/sg_lib.h>
#include <scsi/sg_lib_data.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>

#include "collector/names/names.h"

namespace lunscope {
namespace {

using CdbBytes = std::array<uint8_t, ISCSI_CDB_BYTES>;
constexpr int kUnknownType = -1;
constexpr uint8_t kVariableLength = 0x7f;

// The rows of a table are values of byte 1 of this opcode's CDB, or of bytes 8 and 9.
struct Table {
  const char* name;
  uint8_t opcode;
  const sg_lib_value_name_t* rows;
};

const Table kTables[] = {
    {"WRITE BUFFER modes", 0x3b, sg_lib_write_buff_arr},
    {"READ BUFFER modes", 0x3c, sg_lib_read_buff_arr},
    {"READ POSITION", 0x34, sg_lib_read_pos_arr},
    {"SANITIZE", 0x48, sg_lib_sanitize_sa_arr},
    {"PERSISTENT RESERVE IN", 0x5e, sg_lib_pr_in_arr},
    {"PERSISTENT RESERVE OUT", 0x5f, sg_lib_pr_out_arr},
    {"VARIABLE LENGTH", kVariableLength, sg_lib_variable_length_arr},
    {"THIRD-PARTY COPY OUT", 0x83, sg_lib_xcopy_sa_arr},
    {"THIRD-PARTY COPY IN", 0x84, sg_lib_rec_copy_sa_arr},
    {"READ ATTRIBUTE", 0x8c, sg_lib_read_attr_arr},
    {"ZBC OUT", 0x94, sg_lib_zoning_out_arr},
    {"ZBC IN", 0x95, sg_lib_zoning_in_arr},
    {"SERVICE ACTION BIDIRECTIONAL", 0x9d, sg_lib_serv_bidi_arr},
    {"SERVICE ACTION IN(16)", 0x9e, sg_lib_serv_in16_arr},
    {"SERVICE ACTION OUT(16)", 0x9f, sg_lib_serv_out16_arr},
    {"MAINTENANCE IN", 0xa3, sg_lib_maint_in_arr},
    {"MAINTENANCE OUT", 0xa4, sg_lib_maint_out_arr},
    {"SERVICE ACTION OUT(12)", 0xa9, sg_lib_serv_out12_arr},
    {"SERVICE ACTION IN(12)", 0xab, sg_lib_serv_in12_arr},
};

struct Judged {
  uint8_t opcode;
  const char* theirs;
  const char* ours;
};

const Judged kJudged[] = {
    // A group of commands. The CDB names one of them: service action 0, mode 0, or the short form.
    {0x34, "Read position", "Read position, short form - block id"},
    {0x3b, "Write buffer", "Write buffer, combined header and data [or multiple modes]"},
    {0x3c, "Read buffer(10)", "Read buffer(10), combined header and data [or multiple modes]"},
    {0x5e, "Persistent reserve in", "Persistent reserve in, read keys"},
    {0x5f, "Persistent reserve out", "Persistent reserve out, register"},
    {0x83, "Third party copy out", "Extended copy(LID1)"},
    {0x84, "Third party copy in", "Receive copy status(LID1)"},
    {0x8c, "Read attribute", "Read attribute, attribute values"},
    {0x95, "ZBC in", "Report zones"},
    {0x9b, "Read buffer(16)", "Read buffer(16), combined header and data [or multiple modes]"},
    {0xa3, "Maintenance in", "Report assigned/unassigned p_extent"},
    {0xa4, "Maintenance out", "Add peripheral device / component device"},
    // A group that has no service action 0: the numbers, as for any service action without a name.
    {0x48, "Sanitize", "0x48/0x00"},
    {0x94, "ZBC out", "0x94/0x00"},
    {0x9d, "Service action bidirectional", "0x9d/0x00"},
    {0x9e, "Service action in(16)", "0x9e/0x00"},
    {0x9f, "Service action out(16)", "0x9f/0x00"},
    {0xa9, "Service action out(12)", "0xa9/0x00"},
    {0xab, "Service action in(12)", "0xab/0x00"},
    // A frame around another CDB (SPC-4 4.2.4), and no command by itself.
    {0x7e, "Extended cdb (XCBD)", "0x7e"},
    // A row that ends the table.
    {0xa9, "Impossible command name", "Set medium attribute"},
};

CdbBytes CdbOf(uint8_t opcode, int value) {
  CdbBytes cdb = {opcode};
  if (opcode == kVariableLength) {
    cdb[8] = static_cast<uint8_t>(value >> 8);
    cdb[9] = static_cast<uint8_t>(value);
  } else {
    cdb[1] = static_cast<uint8_t>(value);
  }
  return cdb;
}

class SgTables : public testing::Test {
 protected:
  void Check(const CdbBytes& cdb, const sg_lib_value_name_t& row, const std::string& table) {
    const std::string theirs = row.name;
    const std::string ours = CommandName(cdb.data(), row.peri_dev_type);
    const auto* judged = std::ranges::find_if(kJudged, [&](const Judged& each) {
      return each.opcode == cdb[0] && theirs == each.theirs;
    });
    const std::string what =
        fmt::format("{} 0x{:02x}, device type 0x{:x}", table, row.value, row.peri_dev_type);
    rows_++;
    if (judged != std::end(kJudged)) {
      EXPECT_EQ(ours, judged->ours) << what;
      met_.insert(judged);
    } else {
      EXPECT_TRUE(ours == theirs || ours.ends_with(", " + theirs)) << what << ": " << ours;
      CheckUnknownType(cdb, ours, what);
    }
  }

  // If the type is not known, a name that this type has for the command is there, or more than one.
  // Printers, processors and cards are not behind iSCSI.
  static void CheckUnknownType(const CdbBytes& cdb, const std::string& ours,
                               const std::string& what) {
    const std::set<std::string> kNotBehindIscsi = {"Receive",
                                                   "Print",
                                                   "Send",
                                                   "Slew and print",
                                                   "Synchronize buffer",
                                                   "Stop print",
                                                   "Medium scan",
                                                   "Read card capacity"};
    if (kNotBehindIscsi.contains(ours)) return;
    EXPECT_THAT(CommandName(cdb.data(), kUnknownType), testing::HasSubstr(ours)) << what;
  }

  size_t rows_ = 0;
  std::set<const Judged*> met_;
};

TEST_F(SgTables, HaveTheSameNames) {
  for (const sg_lib_value_name_t* row = sg_lib_normal_opcodes; row->name != nullptr; row++)
    Check({static_cast<uint8_t>(row->value)}, *row, "opcode");
  for (const Table& table : kTables) {
    for (const sg_lib_value_name_t* row = table.rows; row->name != nullptr; row++)
      Check(CdbOf(table.opcode, row->value), *row, table.name);
  }
  EXPECT_GT(rows_, 350u);
  EXPECT_EQ(met_.size(), std::size(kJudged)) << "a judged row that the tables do not have";
}

}  // namespace
}  // namespace lunscope
