// SPDX-License-Identifier: Apache-2.0
//
// An empty list of sessions. A full one is in tests/golden.
#include "collector/lines/session_list.h"

#include <gtest/gtest.h>

#include "collector/model/model.h"

namespace lunscope {
namespace {

TEST(SessionList, SaysThatThereIsNoSession) {
  EXPECT_EQ(SessionsTable(Model(), 0), "No session is up, or was lost in the last 10 minutes.\n");
}

}  // namespace
}  // namespace lunscope
