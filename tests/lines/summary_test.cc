// SPDX-License-Identifier: Apache-2.0
//
// The table at the end of a trace.
#include "collector/lines/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Words(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

class SummaryTest : public ::testing::Test {
 protected:
  void Add(int times, Command command, uint8_t role = LUNSCOPE_ROLE_INITIATOR) {
    command.record.command.header.role = role;
    for (int i = 0; i < times; i++) {
      const lunscope_command_record& record = command.record.command;
      summary_.Add(
          {record, {.connection = &connection_, .device_type = 0, .verdict = Judge(record)}, 0});
    }
  }
  std::vector<std::string> Lines() {
    std::istringstream stream(summary_.Format());
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  Summary summary_;
  Connection connection_;
};

TEST_F(SummaryTest, IsEmptyWithoutCommands) { EXPECT_EQ(summary_.Format(), ""); }

TEST_F(SummaryTest, HasARowForEachRoleAndName) {
  Add(1, Read16(0, 8).Taking(1'000));
  Add(3, Write16(0, 8).Taking(2'000'000));
  Add(2, Read16(0, 8).Taking(1'000), LUNSCOPE_ROLE_TARGET);
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_THAT(Words(lines[0]), ElementsAre("ROLE", "COMMAND", "COUNT", "ERRORS", "BYTES", "P50",
                                           "P95", "P99", "MAX"));
  // The initiator's commands come first, and of these the most frequent ones.
  EXPECT_THAT(Words(lines[1]), ElementsAre("initiator", "Write(16)", "3", "0", "12288", "2.0ms",
                                           "2.0ms", "2.0ms", "2.0ms"));
  EXPECT_THAT(Words(lines[2])[1], "Read(16)");
  EXPECT_THAT(Words(lines[3])[0], "target");
}

TEST_F(SummaryTest, CountsErrorsOfEitherKind) {
  Add(1, Read16(0, 1));
  Add(1, Read16(0, 1).Sensing(5, 0x21, 0));
  Add(1, Read16(0, 1).Ending(0x08));
  Add(1, Read16(0, 1).Responding(1));
  EXPECT_EQ(Words(Lines().at(1))[3], "3");
}

// Rows of the summary are not wider than those of the trace.
TEST_F(SummaryTest, HasAtMost120Columns) {
  Add(1, Command({0x3b, 0x0d}).Moving(~0u).Taking(3'600'000'000'000));
  Add(1000, Read16(0, 1).Moving(~0u).Taking(999'999'999));
  for (const std::string& line : Lines()) EXPECT_LE(line.size(), 120u) << line;
}

}  // namespace
}  // namespace lunscope
