// SPDX-License-Identifier: Apache-2.0
// A session that has logged in, for the tests of what becomes of its commands.
#pragma once

#include <gtest/gtest.h>

#include "tests/engine/follower.h"

namespace lunscope {

class Command : public testing::Test {
 protected:
  void SetUp() override { LogIn(&session_); }

  // The one command that is reported.
  const EndedCommand& Only() {
    EXPECT_EQ(session_.commands.size(), 1u);
    static const EndedCommand kNone = {};
    return session_.commands.empty() ? kNone : session_.commands[0];
  }

  Follower session_;
};

}  // namespace lunscope
