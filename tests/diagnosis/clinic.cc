// SPDX-License-Identifier: Apache-2.0
#include "tests/diagnosis/clinic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lunscope {

void Check(std::span<const Case> cases) {
  for (const Case& row : cases) {
    SCOPED_TRACE(row.id);
    Clinic sick;
    row.provoke(sick);
    EXPECT_EQ(sick.Words(row.id), row.words);
    EXPECT_THAT(sick.Found(), testing::Contains(fmt::format("{} {}", row.severity, row.id)));
    SCOPED_TRACE(row.cousin_name);
    Clinic cousin;
    row.cousin(cousin);
    EXPECT_EQ(cousin.Words(row.id), "");
  }
}

void Run(Conversation& on, Host& host, int count, const Command& command) {
  for (int i = 0; i < count; i++) {
    host.now_ns += command.record.command.duration_ns;
    on.Completes(command);
  }
}

}  // namespace lunscope
