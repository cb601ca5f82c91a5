// SPDX-License-Identifier: Apache-2.0
// Commands that end without a status: rejected, aborted or reset.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

#include "tests/engine/command_fixture.h"

namespace lunscope {
namespace {

TEST_F(Command, ThatIsRejectedIsNotInFlight) {
  session_.Initiator(ScsiCommand(1, TestUnitReady()));
  session_.Initiator(ScsiCommand(2, TestUnitReady()));
  session_.Target(Reject(5, Slice(ScsiCommand(1, TestUnitReady()), 0, 48)));
  EXPECT_EQ(lunscope_inflight_count(&session_.inflight()), 1u);
  EXPECT_EQ(session_.unreported(LUNSCOPE_UNREPORTED_REJECTED), 1u);
  session_.Target(ScsiResponse(2));
  EXPECT_EQ(Only().record.itt, 2u);
}

// A Reject of another PDU leaves the command alone. Its response is still to come.
TEST_F(Command, WhoseDataIsRejectedStaysInFlight) {
  session_.Initiator(ScsiCommand(1, Write10(), 512, kWriteFlags));
  session_.Target(Reject(2, Slice(DataOut(1, 0, Bytes(512)), 0, 48)));
  session_.Target(Reject(4, FromHex("01")));                                  // less than a header
  session_.Target(Reject(4, Slice(ScsiCommand(9, TestUnitReady()), 0, 48)));  // not in flight
  EXPECT_EQ(lunscope_inflight_count(&session_.inflight()), 1u);
  EXPECT_EQ(session_.unreported(), 0u);
}

struct Abort {
  const char* name;
  uint8_t function;
  uint8_t response;
  std::set<uint32_t> ended;  // of the commands below
};

class Aborts : public testing::TestWithParam<Abort> {};

// Commands 1 and 2 on LUN 1, 3 on LUN 2; the request is for LUN 1 and tag 2, and 4 comes later.
INSTANTIATE_TEST_SUITE_P(
    TaskManagement, Aborts,
    testing::Values(Abort{"AbortTask", ISCSI_TASK_ABORT_TASK, 0, {2}},
                    Abort{"AbortTaskSet", ISCSI_TASK_ABORT_TASK_SET, 0, {1, 2}},
                    Abort{"ClearTaskSet", ISCSI_TASK_CLEAR_TASK_SET, 0, {1, 2}},
                    Abort{"ClearAca", 3, 0, {}},
                    Abort{"LogicalUnitReset", ISCSI_TASK_LUN_RESET, 0, {1, 2}},
                    Abort{"TargetWarmReset", ISCSI_TASK_TARGET_WARM_RESET, 0, {1, 2, 3}},
                    Abort{"TargetColdReset", ISCSI_TASK_TARGET_COLD_RESET, 0, {1, 2, 3}},
                    Abort{"TaskReassign", 8, 0, {}}, Abort{"QueryTask", 9, 0, {}},
                    Abort{"NexusReset", ISCSI_TASK_NEXUS_RESET, 0, {1, 2, 3}},
                    Abort{"NoSuchTask", ISCSI_TASK_ABORT_TASK, 1, {2}},
                    Abort{"NoSuchTaskOfASet", ISCSI_TASK_ABORT_TASK_SET, 1, {}},
                    Abort{"NotSupported", ISCSI_TASK_LUN_RESET, 5, {}},
                    Abort{"Rejected", ISCSI_TASK_TARGET_WARM_RESET, 255, {}}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(Aborts, EndWhatTheyName) {
  Follower session;
  LogIn(&session);
  const auto command = [](uint32_t number, uint64_t lun) {
    return ScsiCommand(number, TestUnitReady()).Lun(lun).Set32(24, number);
  };
  for (const auto& [number, lun] : {std::pair{1, 1}, {2, 1}, {3, 2}})
    session.Initiator(command(static_cast<uint32_t>(number), static_cast<uint64_t>(lun)));
  session.Initiator(TaskRequest(GetParam().function, 2).Lun(1).Set32(24, 4));
  session.Initiator(command(4, 1));
  session.Target(TaskResponse(GetParam().response));
  const bool is_known = GetParam().response != ISCSI_TASK_DOES_NOT_EXIST;
  EXPECT_EQ(
      session.unreported(is_known ? LUNSCOPE_UNREPORTED_ABORTED : LUNSCOPE_UNREPORTED_NO_SUCH_TASK),
      GetParam().ended.size());
  for (uint32_t number = 1; number <= 4; number++) {
    EXPECT_EQ(session.Find(number) == nullptr, GetParam().ended.contains(number)) << number;
  }
  // A second response changes nothing.
  session.Target(TaskResponse(0));
  EXPECT_EQ(session.unreported(), GetParam().ended.size());
}

// A request that is sent again takes no place of another one.
TEST_F(Command, IsEndedByARequestAmongOthersThatAreSentAgain) {
  session_.Initiator(ScsiCommand(1, TestUnitReady()).Lun(3));
  session_.Initiator(TaskRequest(ISCSI_TASK_LUN_RESET, 0).Itt(0x70).Lun(3).Set32(24, 9));
  for (uint32_t i = 0; i < 2 * LUNSCOPE_TASK_REQUESTS; i++)
    session_.Initiator(TaskRequest(ISCSI_TASK_ABORT_TASK, 5));
  session_.Target(TaskResponse(0).Itt(0x70));
  EXPECT_EQ(session_.unreported(LUNSCOPE_UNREPORTED_ABORTED), 1u);
}

// A response belongs to the request with its tag. The engine remembers the four latest requests.
TEST_F(Command, IsEndedByTheRequestThatIsAnswered) {
  constexpr uint32_t kRequests = LUNSCOPE_TASK_REQUESTS + 1;
  for (uint32_t itt = 0; itt < kRequests; itt++) session_.Initiator(ScsiCommand(itt, Read10()));
  for (uint32_t itt = 0; itt < kRequests; itt++)
    session_.Initiator(TaskRequest(ISCSI_TASK_ABORT_TASK, itt).Itt(100 + itt));
  session_.Target(TaskResponse(0).Itt(7));    // to nobody
  session_.Target(TaskResponse(0).Itt(100));  // to the oldest, which gave way
  EXPECT_EQ(session_.unreported(), 0u);
  for (uint32_t itt = kRequests - 1; itt > 0; itt--) {
    session_.Target(TaskResponse(0).Itt(100 + itt));
    EXPECT_EQ(session_.Find(itt), nullptr);
    EXPECT_EQ(session_.unreported(LUNSCOPE_UNREPORTED_ABORTED), kRequests - itt);
  }
}

}  // namespace
}  // namespace lunscope
