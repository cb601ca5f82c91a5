// SPDX-License-Identifier: Apache-2.0
//
// The network namespaces that a walk visits. tests/live has more than one of them.
#include "collector/probe/namespaces.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

namespace lunscope {
namespace {

constexpr uint32_t kNoInode = 1;  // of a namespace that does not exist

uint32_t OwnInode() {
  struct stat status {};
  EXPECT_EQ(stat("/proc/self/ns/net", &status), 0);
  return static_cast<uint32_t>(status.st_ino);
}

TEST(NetworkNamespaces, BeginWithThatOfTheThread) {
  NetworkNamespaces namespaces;
  std::vector<int> visited;
  const Status status = namespaces.ForEach([] { return Result(7); },
                                           [&](int fd) {
                                             visited.push_back(fd);
                                             return Result(false);
                                           });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(visited, std::vector<int>{7});
}

TEST(NetworkNamespaces, OfTheThreadAreVisitedOnce) {
  NetworkNamespaces namespaces;
  namespaces.Learn(OwnInode(), static_cast<uint32_t>(getpid()));
  int visits = 0;
  EXPECT_TRUE(namespaces
                  .ForEach([] { return Result(7); },
                           [&](int) {
                             visits++;
                             return Result(true);
                           })
                  .ok());
  EXPECT_EQ(visits, 1);
}

TEST(NetworkNamespaces, ThatDoNotExistAreForgotten) {
  NetworkNamespaces namespaces;
  namespaces.Learn(kNoInode, static_cast<uint32_t>(getpid()));
  EXPECT_EQ(namespaces.size(), 1u);
  EXPECT_TRUE(namespaces.ForEach([] { return Result(7); }, [](int) { return Result(true); }).ok());
  EXPECT_EQ(namespaces.size(), 0u);
}

// A user without capabilities may not look at the processes of others.
TEST(NetworkNamespaces, ThatMayBeHiddenAreKept) {
  constexpr uid_t kNobody = 65534;
  const uid_t own = geteuid();
  NetworkNamespaces namespaces;
  namespaces.Learn(kNoInode, 1);
  int visits = 0;
  ASSERT_TRUE(own != 0 || seteuid(kNobody) == 0);
  const Status status = namespaces.ForEach([] { return Result(7); },
                                           [&](int) {
                                             visits++;
                                             return Result(true);
                                           });
  ASSERT_EQ(seteuid(own), 0);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "1 network namespace cannot be found without CAP_SYS_PTRACE");
  EXPECT_EQ(namespaces.size(), 1u);
  EXPECT_EQ(visits, 1) << "all others are visited";
}

TEST(NetworkNamespaces, EndWithTheFirstError) {
  const Error error{ExitCode::kFailure, "no"};
  NetworkNamespaces namespaces;
  namespaces.Learn(kNoInode, 0);
  const auto visit = [](int) { return Result(true); };
  EXPECT_FALSE(namespaces.ForEach([&] { return Result<int>(error); }, visit).ok());
  EXPECT_FALSE(
      namespaces.ForEach([] { return Result(7); }, [&](int) { return Result<bool>(error); }).ok());
  EXPECT_EQ(namespaces.size(), 1u);
}

}  // namespace
}  // namespace lunscope
