// SPDX-License-Identifier: Apache-2.0
//
// Listening sockets, from the text of /proc/net/tcp and tcp6.
#include "collector/host/listeners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/base/tree.h"
#include "tests/host/written.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Lines of get_tcp4_sock() and get_tcp6_sock(), on a little-endian machine.
constexpr const char* kTcp =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
    "   0: 0100007F:0CBC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n"
    "   1: 00000000:0CBD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n"
    "   2: 0100007F:0CBE 0100007F:D260 01 00000000:00000000 00:00000000 00000000     0\n"
    "   3: 0100007F:0CC0 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n";
constexpr const char* kTcp6 =
    "  sl  local_address                         remote_address                        st\n"
    "   0: 00000000000000000000000001000000:0CBC 00000000000000000000000000000000:0000 0A 0\n"
    "   1: 0000000000000000FFFF00000100007F:0CBF 00000000000000000000000000000000:0000 0A 0\n";

// The kernel lists listening sockets first, so nothing behind the first other socket is read.
TEST(Listeners, AreTheSocketsBeforeTheFirstThatDoesNotListen) {
  EXPECT_THAT(Written(ParseListeners(kTcp)),
              ElementsAre("127.0.0.1:3260 3260 socket", "0.0.0.0:3261 3261 socket"));
  EXPECT_THAT(Written(ParseListeners(kTcp6)),
              ElementsAre("[::1]:3260 3260 socket", "127.0.0.1:3263 3263 socket"));
}

TEST(Listeners, AreNotInMalformedLines) {
  for (const char* text : {"", "headings\n", "headings\n\n", "headings\n   0: 00:0CBC 00:0000 0A\n",
                           "headings\n   0: 0100007F 00:0000 0A\n", "headings\n   0:\n",
                           "headings\n   0: 0100007F:0000 00:0000 0A\n"})
    EXPECT_THAT(ParseListeners(text), IsEmpty()) << text;
}

using NetFolder = Tree;

TEST_F(NetFolder, HasAFileForEachVersionOfIp) {
  EXPECT_THAT(ReadListeners(root_ + "/nowhere"), IsEmpty());
  Put("tcp6", kTcp6);
  EXPECT_EQ(ReadListeners(root_).size(), 2u);
  Put("tcp", kTcp);
  EXPECT_EQ(ReadListeners(root_).size(), 4u);
}

// The limit is 1 MiB. A line that is cut there is left out or has its port.
TEST_F(NetFolder, IsReadUpToALimit) {
  const std::string line = "   0: 0100007F:0CBC 00000000:0000 0A\n";
  std::string text = "headings\n";
  while (text.size() < size_t{2} << 20) text += line;
  Put("tcp", text);
  EXPECT_EQ(ReadListeners(root_).size(), (size_t{1} << 20) / line.size());
}

}  // namespace
}  // namespace lunscope
