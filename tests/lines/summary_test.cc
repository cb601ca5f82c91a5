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

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;

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
  EXPECT_THAT(Words(lines[0]), ElementsAre("ROLE", "COMMAND", "COUNT", "ERRORS", "BYTES", "MEAN",
                                           "P50", "P95", "P99", "MAX", "SUM"));
  // The initiator's commands come first, and of these the most frequent ones.
  EXPECT_THAT(Words(lines[1]), ElementsAre("initiator", "Write(16)", "3", "0", "12288", "2.0ms",
                                           "2.0ms", "2.0ms", "2.0ms", "2.0ms", "6.0ms"));
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

// Names that differ at their end only are two rows that differ.
TEST_F(SummaryTest, CutsNoName) {
  Add(1, Command({0x5f, 0x06}));
  Add(1, Command({0x5f, 0x08}));
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_NE(lines[1], lines[2]);
  EXPECT_THAT(lines, Each(SizeIs(lines[0].size())));
}

TEST_F(SummaryTest, HasARowForEachLunOnRequest) {
  TargetKey key{};
  key.name = "iqn.disk";
  std::map<TargetKey, TargetStatistics> targets;
  connection_.target = &*targets.try_emplace(key).first;
  summary_ = Summary(true);
  Add(2, Read16(0, 8).OnLun(Lun(1)));
  Add(1, Read16(0, 8).OnLun(Lun(2)));
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(Words(lines[1]), IsSupersetOf({"iqn.disk", "1", "2", "8192"}));
  EXPECT_THAT(Words(lines[2]), IsSupersetOf({"iqn.disk", "2", "1", "4096"}));
}

}  // namespace
}  // namespace lunscope
