// SPDX-License-Identifier: Apache-2.0
// The process that writes a file: it writes the whole text or nothing, and it ends.
#include "collector/run/file_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "collector/base/files.h"
#include "tests/base/tree.h"

namespace lunscope {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FileWriterTest : public Tree {
 protected:
  ~FileWriterTest() override {
    // No process is left.
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
  }
};

TEST_F(FileWriterTest, WritesAText) {
  const std::string text(3'000'000, 'x');  // more than a socket holds
  {
    auto writer = FileWriter::Start(root_ + "/a.html");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer.value()->Write(text).ok());
  }
  EXPECT_EQ(ReadWhole(root_ + "/a.html", 4'000'000), text);
  EXPECT_THAT(ListFolder(root_), ElementsAre("a.html"));
}

TEST_F(FileWriterTest, LeavesNothingWithoutAText) {
  {
    auto writer = FileWriter::Start(root_ + "/a.html");
    ASSERT_TRUE(writer.ok());
    EXPECT_EQ(ListFolder(root_).size(), 1u);
  }
  EXPECT_THAT(ListFolder(root_), IsEmpty());
}

TEST_F(FileWriterTest, SaysAtOnceThatThereIsNoFolder) {
  auto writer = FileWriter::Start(root_ + "/none/a.html");
  ASSERT_FALSE(writer.ok());
  EXPECT_EQ(writer.error().code, ExitCode::kFailure);
  EXPECT_EQ(writer.error().message,
            "cannot write " + root_ + "/none/a.html: No such file or directory (errno 2)");
}

TEST_F(FileWriterTest, SaysThatTheFolderIsGone) {
  std::filesystem::create_directory(root_ + "/b");
  auto writer = FileWriter::Start(root_ + "/b/a.html");
  ASSERT_TRUE(writer.ok());
  std::filesystem::remove_all(root_ + "/b");
  const Status written = writer.value()->Write("text");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().message,
            "cannot write " + root_ + "/b/a.html: No such file or directory (errno 2)");
}

}  // namespace
}  // namespace lunscope
