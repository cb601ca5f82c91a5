// SPDX-License-Identifier: Apache-2.0
// Statuses that the initiator has not acknowledged, in a walk behind the last PDU of a row.
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/engine/command_fixture.h"

namespace lunscope {
namespace {

struct Said {
  bool from_initiator;
  Pdu pdu;
};

struct StatusesRow {
  const char* what;
  std::vector<Said> said;
  std::optional<uint32_t> statuses;  // none: not known
};

Said Acknowledging(uint32_t expstatsn, uint32_t itt = 50) {
  return {true, ScsiCommand(itt, TestUnitReady()).Set32(28, expstatsn)};
}
Said WithStatSn(uint32_t statsn, uint32_t itt = 50) {
  return {false, ScsiResponse(itt).Set32(24, statsn)};
}

const StatusesRow kStatusesRows[] = {
    {"none", {Acknowledging(10), WithStatSn(9), Acknowledging(10, 51)}, 0},
    {"one", {Acknowledging(9), WithStatSn(9)}, 1},
    {"several", {Acknowledging(5, 1), Acknowledging(5, 2), WithStatSn(5, 1), WithStatSn(6, 2)}, 2},
    {"acknowledged by a Data-Out",
     {Acknowledging(9), WithStatSn(9), {true, DataOut(5, 0, Bytes(512)).Set32(28, 10)}},
     0},
    {"an R2T takes no number",
     {Acknowledging(9), WithStatSn(8), {false, R2t(5, 0, 512).Set32(24, 9)}},
     0},
    {"the numbers wrap", {Acknowledging(-1), WithStatSn(-1), WithStatSn(0)}, 2},
    {"numbers that do not fit", {Acknowledging(1), WithStatSn(900'000)}, std::nullopt},
    {"what no status has had yet", {WithStatSn(9), Acknowledging(11)}, std::nullopt},
};

TEST(Statuses, AreUnacknowledgedUntilTheirNumberIsExpected) {
  for (const StatusesRow& row : kStatusesRows) {
    for (const lunscope_role side : {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_ROLE_TARGET}) {
      Follower session(side);
      LogIn(&session);
      for (const auto& [from_initiator, pdu] : row.said)
        from_initiator ? session.Initiator(pdu) : session.Target(pdu);
      session.Walk([](const lunscope_record&) {});
      const lunscope_connection_record& record = session.connection->record;
      EXPECT_EQ(record.has_unacknowledged_statuses != 0, row.statuses.has_value()) << row.what;
      EXPECT_EQ(record.unacknowledged_statuses, row.statuses.value_or(0)) << row.what;
    }
  }
}

TEST(Statuses, AreNotKnownBeforeBothEndsHaveSaidANumber) {
  Follower session;
  session.Walk([](const lunscope_record&) {});
  EXPECT_EQ(session.connection->record.has_unacknowledged_statuses, 0);
}

}  // namespace
}  // namespace lunscope
