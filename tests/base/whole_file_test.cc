// SPDX-License-Identifier: Apache-2.0
// A file is written as a whole or not at all.
#include "collector/base/whole_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "collector/base/files.h"
#include "tests/base/tree.h"

namespace lunscope {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class WholeFileTest : public Tree {
 protected:
  [[nodiscard]] std::string Path(const std::string& name) const { return root_ + "/" + name; }
  [[nodiscard]] std::vector<std::string> Names() const { return ListFolder(root_); }
};

TEST_F(WholeFileTest, IsWrittenAndNothingElse) {
  const mode_t before = umask(022);
  ASSERT_TRUE(WriteWhole(Path("a.md"), "one\n").ok());
  umask(before);
  EXPECT_EQ(ReadWhole(Path("a.md")), "one\n");
  EXPECT_THAT(Names(), ElementsAre("a.md"));
  struct stat status {};
  ASSERT_EQ(stat(Path("a.md").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640u);
}

TEST_F(WholeFileTest, TakesThePlaceOfTheOldOne) {
  ASSERT_TRUE(WriteWhole(Path("a.md"), "a long text").ok());
  ASSERT_TRUE(WriteWhole(Path("a.md"), "two").ok());
  EXPECT_EQ(ReadWhole(Path("a.md")), "two");
}

TEST_F(WholeFileTest, SaysWhyThereIsNone) {
  const Status no_folder = WriteWhole(Path("none/a.md"), "one");
  ASSERT_FALSE(no_folder.ok());
  EXPECT_EQ(no_folder.error().code, ExitCode::kFailure);
  EXPECT_EQ(no_folder.error().message,
            "cannot write " + Path("none/a.md") + ": No such file or directory (errno 2)");
  std::filesystem::create_directory(Path("b.md"));
  const Status is_folder = WriteWhole(Path("b.md"), "one");
  ASSERT_FALSE(is_folder.ok());
  EXPECT_EQ(is_folder.error().message,
            "cannot write " + Path("b.md") + ": Is a directory (errno 21)");
}

// A limit of the file's size stands for a full disk.
TEST_F(WholeFileTest, LeavesNoHalfFile) {
  ASSERT_TRUE(WriteWhole(Path("a.md"), "old").ok());
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{16, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const Status written = WriteWhole(Path("a.md"), std::string(1000, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().message,
            "cannot write " + Path("a.md") + ": File too large (errno 27)");
  EXPECT_EQ(ReadWhole(Path("a.md")), "old");
  EXPECT_THAT(Names(), ElementsAre("a.md"));
}

TEST_F(WholeFileTest, GoesIfItIsNotFinished) {
  {
    WholeFile file(Path("a.md"));
    ASSERT_EQ(file.Create(), 0);
    EXPECT_EQ(Names().size(), 1u);
  }
  EXPECT_THAT(Names(), IsEmpty());
}

}  // namespace
}  // namespace lunscope
