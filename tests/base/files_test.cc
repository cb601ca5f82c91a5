// SPDX-License-Identifier: Apache-2.0
//
// Reads of small files and folders: each has a limit, and an absent file counts as empty.
#include "collector/base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "tests/base/tree.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Files = Tree;

TEST_F(Files, AreReadUpToALimit) {
  Put("large", std::string(kMaxFileBytes + 1, 'x'));
  EXPECT_EQ(ReadWhole(root_ + "/large").size(), kMaxFileBytes);
  EXPECT_EQ(ReadWhole(root_ + "/large", 10), "xxxxxxxxxx");
  EXPECT_EQ(ReadWhole(root_ + "/large", 2 * kMaxFileBytes).size(), kMaxFileBytes + 1);
}

TEST_F(Files, ThatCannotBeReadAreEmpty) {
  EXPECT_EQ(ReadWhole(root_ + "/nowhere"), "");
  EXPECT_EQ(ReadWhole(root_), "");  // a folder
  EXPECT_EQ(ReadLine(root_ + "/nowhere"), "");
  EXPECT_THAT(ListFolder(root_ + "/nowhere"), IsEmpty());
  EXPECT_EQ(InodeOf(root_ + "/nowhere"), 0u);
}

TEST_F(Files, HaveAFirstLine) {
  const std::pair<const char*, const char*> lines[] = {
      {"one\ntwo\n", "one"}, {"one", "one"}, {"\ntwo", ""}, {"", ""}};
  for (const auto& [text, line] : lines) {
    Put("file", text);
    EXPECT_EQ(ReadLine(root_ + "/file"), line) << text;
  }
}

TEST_F(Files, InAFolderAreSortedAndLimited) {
  Put("folder/b", "");
  Put("folder/a", "");
  PutFolder("folder/c");
  EXPECT_THAT(ListFolder(root_ + "/folder"), ElementsAre("a", "b", "c"));
  EXPECT_EQ(ListFolder(root_ + "/folder", 2).size(), 2u);
}

TEST_F(Files, HaveAnInodeThatLinksShare) {
  Put("file", "");
  PutLink("link", root_ + "/file");
  EXPECT_NE(InodeOf(root_ + "/file"), 0u);
  EXPECT_EQ(InodeOf(root_ + "/link"), InodeOf(root_ + "/file"));
  EXPECT_EQ(InodeOfFolder(root_ + "/file"), 0u);
  EXPECT_EQ(InodeOfFolder(root_), InodeOf(root_));
}

TEST(Text, IsSplitIntoLines) {
  EXPECT_THAT(Lines("one\n\ntwo"), ElementsAre("one", "", "two"));
  EXPECT_THAT(Lines("one\n"), ElementsAre("one"));
  EXPECT_THAT(Lines(""), IsEmpty());
}

TEST(Text, FollowsItsPrefix) {
  EXPECT_EQ(After("lun_300", "lun_"), "300");
  EXPECT_EQ(After("lun", "lun_"), "");
  EXPECT_EQ(After("", ""), "");
}

}  // namespace
}  // namespace lunscope
