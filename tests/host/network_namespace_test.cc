// SPDX-License-Identifier: Apache-2.0
//
// Names of network namespaces, from trees of files laid out like /run/netns and /proc.
#include "collector/host/network_namespace.h"

#include <gtest/gtest.h>

#include "collector/base/files.h"
#include "tests/base/tree.h"

namespace lunscope {
namespace {

using NetworkNamespace = Tree;

TEST_F(NetworkNamespace, HasItsNameOrTheNumberOfAProcess) {
  Put("netns/blue", "");
  Put("netns/red", "");
  Put("proc/12/ns/net", "");
  Put("proc/irq/ns/net", "");
  std::filesystem::create_directories(root_ + "/proc/9/ns");
  std::filesystem::create_hard_link(root_ + "/proc/12/ns/net", root_ + "/proc/9/ns/net");
  const auto name = [&](const std::string& path) {
    return NetworkNamespaceName(root_ + "/netns", root_ + "/proc", InodeOf(root_ + "/" + path));
  };
  EXPECT_EQ(name("netns/red"), "red");
  EXPECT_EQ(name("netns/blue"), "blue");
  EXPECT_EQ(name("proc/12/ns/net"), "pid 9");
  EXPECT_EQ(name("proc/irq/ns/net"), "");
  EXPECT_EQ(NetworkNamespaceName(root_ + "/netns", root_ + "/proc", 0), "");
  EXPECT_EQ(NetworkNamespaceName(root_ + "/nowhere", root_ + "/nowhere", 1), "");
}

}  // namespace
}  // namespace lunscope
