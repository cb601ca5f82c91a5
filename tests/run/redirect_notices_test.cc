// SPDX-License-Identifier: Apache-2.0
//
// Sentences about logins that are redirected to a port that nobody watches.
#include "collector/run/redirect_notices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using namespace std::string_literals;

// A host, and what is said of its redirections while only port 3260 is watched.
class RedirectNoticesTest : public ::testing::Test {
 protected:
  RedirectNoticesTest() {
    host_.HandOn([this](const lunscope_record& record) {
      const std::string sentence = notices_.Take(model_.Apply(record));
      if (!sentence.empty()) said_.push_back(sentence);
    });
  }

  // A login on a connection of its own, which is redirected.
  void Login(std::string_view text) {
    const uint64_t connection = ++connections_;
    host_.Opens(connection).RequestsLogin(LoginText({})).AnswersLogin(1, 0, 0, text, 1).Drops();
  }

  Host host_;
  Model model_;
  RedirectNotices notices_{{3260}};
  std::vector<std::string> said_;
  uint64_t connections_ = 0;
};

TEST_F(RedirectNoticesTest, ARedirectionIsSaidOnceForEachPortThatIsNotWatched) {
  Login("TargetAddress=192.0.2.3:3261,1\0"s);
  Login("TargetAddress=192.0.2.4:3261,1\0"s);
  Login("TargetAddress=192.0.2.4:3260,1\0"s);
  EXPECT_THAT(said_, ElementsAre("the target iqn.disk redirects to 192.0.2.3:3261,1, and port 3261 "
                                 "is not watched: add --port 3261"));
}

struct AddressRow {
  const char* address;
  uint16_t port;
};

TEST(RedirectNotices, PortOfAnAddress) {
  const AddressRow rows[] = {
      {"192.0.2.1:3261,1", 3261},   {"192.0.2.1:3261", 3261},  {"192.0.2.1", 3260},
      {"[2001:db8::1]:3262", 3262}, {"[2001:db8::1]", 3260},   {"[2001:db8::1],1", 3260},
      {"disk.example:860", 860},    {"disk.example", 3260},    {"", 3260},
      {"192.0.2.1:", 3260},         {"192.0.2.1:70000", 3260}, {"192.0.2.1:0", 3260},
  };
  for (const AddressRow& row : rows) EXPECT_EQ(PortOfAddress(row.address), row.port) << row.address;
}

}  // namespace
}  // namespace lunscope
