// SPDX-License-Identifier: Apache-2.0
// The largest lengths that were seen on a connection.
#include <gtest/gtest.h>

#include "tests/engine/command_fixture.h"

namespace lunscope {
namespace {

TEST(Largest, IsOfEachKindOfPdu) {
  for (const lunscope_role side : {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_ROLE_TARGET}) {
    Follower session(side);
    LogIn(&session);
    session.Initiator(ScsiCommand(1, TestUnitReady(), 0x80 | 0x20).Data(Bytes(24)));
    session.Initiator(ScsiCommand(2, TestUnitReady()));
    session.Target(R2t(1, 0, 4096));
    session.Target(R2t(1, 4096, 1024));
    session.Initiator(DataOut(1, 0, Bytes(512)));
    session.Initiator(DataOut(1, 512, Bytes(100)));
    session.Target(DataIn(2, 0, Bytes(2048)));
    session.Target(DataIn(2, 0, Bytes(8)));
    session.Target(ScsiResponse(1, 2).Data(Bytes(3000)));  // sense data is no Data-In
    const lunscope_connection_record& record = session.connection->record;
    EXPECT_EQ(record.largest_segment[session.target_direction()], 2048u);
    EXPECT_EQ(record.largest_segment[session.initiator_direction()], 512u);
    EXPECT_EQ(record.largest_immediate, 24u);
    EXPECT_EQ(record.largest_r2t, 4096u);
  }
}

}  // namespace
}  // namespace lunscope
