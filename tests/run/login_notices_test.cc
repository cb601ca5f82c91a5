// SPDX-License-Identifier: Apache-2.0
//
// Sentences about logins that are refused or redirected, each of them once.
#include "collector/run/login_notices.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::string_literals;

// A host, and what is said of its logins while only port 3260 is watched.
class LoginNoticesTest : public ::testing::Test {
 protected:
  LoginNoticesTest() {
    host_.HandOn([this](const lunscope_record& record) {
      const std::string sentence = notices_.Take(record, model_.Apply(record));
      if (!sentence.empty()) said_.push_back(sentence);
    });
  }

  // A login on a connection of its own, which gets this status.
  void Login(const lunscope::Login& names, uint8_t status_class, uint8_t status_detail = 0,
             std::string_view text = {}) {
    const uint64_t connection = ++connections_;
    host_.Opens(connection)
        .RequestsLogin(LoginText(names))
        .AnswersLogin(status_class, 0, 0, text, status_detail)
        .Drops();
  }

  Host host_;
  Model model_;
  LoginNotices notices_{{3260}};
  std::vector<std::string> said_;
  uint64_t connections_ = 0;
};

struct RefusalRow {
  uint8_t status_class;
  uint8_t status_detail;
  const char* reason;  // nullptr: nothing is said
};

// RFC 7143 section 11.13.5
constexpr RefusalRow kRefusals[] = {
    {0, 0, nullptr},
    {1, 1, nullptr},  // without an address
    {2, 1, "Authentication failure"},
    {2, 3, "Not found"},
    {2, 0x77, "status 0277h"},
    {3, 1, "Service unavailable"},
    {255, 1, "status ff01h"},
};

TEST_F(LoginNoticesTest, ARefusalIsSaidOnceWithItsReason) {
  for (const RefusalRow& row : kRefusals) {
    said_.clear();
    for (int attempt = 0; attempt < 3; attempt++) Login({}, row.status_class, row.status_detail);
    if (row.reason == nullptr) {
      EXPECT_THAT(said_, IsEmpty()) << int{row.status_class};
    } else {
      EXPECT_THAT(said_, ElementsAre(fmt::format("the target iqn.disk refuses the login of {}: {}",
                                                 kHost, row.reason)));
    }
  }
}

TEST_F(LoginNoticesTest, NamesAreOfTheRefusedLogin) {
  Login({.initiator = "iqn.other"}, 2, 2);
  Login({.initiator = "", .target = "iqn.tape"}, 2, 7);
  EXPECT_THAT(said_,
              ElementsAre("the target iqn.disk refuses the login of iqn.other: "
                          "Authorization failure",
                          "the target iqn.tape refuses the login of an initiator without a name: "
                          "Missing parameter"));
}

TEST_F(LoginNoticesTest, MadeUpNamesComeToAnEnd) {
  for (int i = 0; i < 3000; i++) Login({.initiator = fmt::format("iqn.random-{}", i)}, 2, 2);
  ASSERT_THAT(said_, SizeIs(LoginNotices::kMaxRefusals + 1));
  EXPECT_THAT(said_.back(), HasSubstr("more logins are refused"));
}

TEST_F(LoginNoticesTest, ARedirectionIsSaidOnceForEachPortThatIsNotWatched) {
  Login({}, 1, 1, "TargetAddress=192.0.2.3:3261,1\0"s);
  Login({}, 1, 1, "TargetAddress=192.0.2.4:3261,1\0"s);
  Login({}, 1, 1, "TargetAddress=192.0.2.4:3260,1\0"s);
  EXPECT_THAT(said_, ElementsAre("the target iqn.disk redirects to 192.0.2.3:3261,1, and port 3261 "
                                 "is not watched: add --port 3261"));
}

struct AddressRow {
  const char* address;
  uint16_t port;
};

TEST(LoginNotices, PortOfAnAddress) {
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
