// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/short_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ShortNames, LeaveANameThatFits) {
  ShortNames names(16);
  EXPECT_EQ(names.Of("iqn.2024:0123456"), "iqn.2024:0123456");
  EXPECT_EQ(names.Of(""), "");
  EXPECT_THAT(names.TakeNew(), IsEmpty());
}

TEST(ShortNames, AreToldOnce) {
  ShortNames names(16);
  EXPECT_EQ(names.Of("iqn.2024-01.org.example:storage.disk1"), "..storage.disk1");
  EXPECT_THAT(names.TakeNew(),
              ElementsAre("..storage.disk1 is iqn.2024-01.org.example:storage.disk1"));
  EXPECT_EQ(names.Of("iqn.2024-01.org.example:storage.disk1"), "..storage.disk1");
  EXPECT_THAT(names.TakeNew(), IsEmpty());
}

TEST(ShortNames, BeginBehindASeparatorIfThereIsOne) {
  ShortNames names(16);
  EXPECT_EQ(names.Of("iqn.2024-01.lab:disk"), "..lab:disk");
  EXPECT_EQ(names.Of("iqn.2024-01.com.example:t"), "..com.example:t");
  EXPECT_EQ(names.Of("iqn.2024-01.com:0123456789abcdefgh"), "..456789abcdefgh");
  EXPECT_EQ(names.Of("iqn.2024-01.com:0123456789abcdefg."), "..456789abcdefg.");
}

// The first keeps what it had, because rows with it have been read.
TEST(ShortNames, TellNamesApartThatEndAlike) {
  ShortNames names(16);
  EXPECT_EQ(names.Of("iqn.2024-01.org.a:storage.disk1"), "..storage.disk1");
  EXPECT_EQ(names.Of("iqn.2024-01.org.b:storage.disk1"), "..disk1#2");
  EXPECT_EQ(names.Of("iqn.2024-01.com.b:storage.disk1"), "..disk1#3");
  EXPECT_EQ(names.Of("iqn.2024-01.org.a:storage.disk1"), "..storage.disk1");
  EXPECT_EQ(names.Of("iqn.2024-01.com:0123456789abcdefgh"), "..456789abcdefgh");
  EXPECT_EQ(names.Of("iqn.2025-01.com:0123456789abcdefgh"), "..6789abcdefgh#2");
}

TEST(ShortNames, FitTheirColumns) {
  ShortNames names(6);
  std::set<std::string> shown;
  for (int i = 0; i < 900; i++) {
    shown.insert(names.Of("iqn.2024-01.com:x" + std::string(static_cast<size_t>(i), 'y') + "disk"));
  }
  EXPECT_EQ(shown.size(), 900u);
  for (const std::string& each : shown) EXPECT_LE(each.size(), 2 + 1 + 4) << each;
}

}  // namespace
}  // namespace lunscope
