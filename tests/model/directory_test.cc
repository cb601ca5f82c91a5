// SPDX-License-Identifier: Apache-2.0
// Discovery and redirection: targets that name other targets.
#include "collector/model/directory.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using std::string_literals::operator""s;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint8_t kRedirection = 1;
constexpr uint8_t kTemporarily = 1;
constexpr uint8_t kPermanently = 2;

// "iqn.disk at 192.0.2.2:3260,1 -> 192.0.2.3:3260", in the order of the names.
std::vector<std::string> Listed(const Host& host) {
  std::vector<std::string> lines;
  for (const auto& [key, target] : host.model().directory().targets()) {
    std::string line = key.second + " at";
    for (const std::string& address : target.addresses) line += " " + address;
    if (!target.redirected_to.empty())
      line += (target.is_moved_for_good ? " => " : " -> ") + target.redirected_to;
    lines.push_back(line);
  }
  return lines;
}

Conversation& Discovers(Host& host, uint64_t id) {
  return host.Opens(id).LogsIn({.target = ""}).Asks("SendTargets=All\0"s);
}

TEST(Discovery, ListsTargetsWithTheirAddresses) {
  Host host;
  Discovers(host, 1).Answers(
      "TargetName=iqn.b\0TargetAddress=192.0.2.2:3260,1\0TargetAddress=[2001:db8::2]:3260,2\0"
      "TargetName=iqn.a\0"s);
  EXPECT_THAT(Listed(host),
              ElementsAre("iqn.a at", "iqn.b at 192.0.2.2:3260,1 [2001:db8::2]:3260,2"));
}

// RFC 7143 appendix C: a long list takes several Text Responses, and is cut anywhere.
TEST(Discovery, GoesOverSeveralPdus) {
  Host host;
  Discovers(host, 1)
      .Answers("TargetName=iqn.a\0TargetAddr"s, ISCSI_FLAG_CONTINUE)
      .Asks("", 0)
      .Answers("ess=192.0.2.2:3260,1\0TargetName=iqn.b\0"s);
  EXPECT_THAT(Listed(host), ElementsAre("iqn.a at 192.0.2.2:3260,1", "iqn.b at"));
}

TEST(Discovery, TakesTheLastAnswer) {
  Host host;
  Discovers(host, 1).Answers("TargetName=iqn.a\0TargetAddress=192.0.2.2:3260,1\0"s);
  Discovers(host, 2).Answers("TargetName=iqn.a\0TargetAddress=192.0.2.9:3260,1\0"s);
  EXPECT_THAT(Listed(host), ElementsAre("iqn.a at 192.0.2.9:3260,1"));
}

TEST(Discovery, OfALongListIsWhole) {
  Host host;
  std::string text;
  for (int i = 0; i < 2000; i++)
    text += fmt::format("TargetName=iqn.{:04}", i) + "\0TargetAddress=192.0.2.2:3260,1\0"s;
  Discovers(host, 1).Answers(text);
  EXPECT_EQ(Listed(host).size(), 2000u);
  EXPECT_EQ(host.model().directory().left_out(), 0u);
}

TEST(Discovery, IsBounded) {
  Host host;
  std::string text;
  for (size_t i = 0; i < Directory::kMaxTargets + 3; i++)
    text += fmt::format("TargetName=iqn.{:05}", i) + '\0';
  for (size_t i = 0; i < Directory::kMaxAddresses + 2; i++) text += "TargetAddress=x:1,1\0"s;
  text += "TargetName=iqn.00000\0"s;
  for (size_t i = 0; i < Directory::kMaxAddresses + 2; i++) text += "TargetAddress=y:1,1\0"s;
  Discovers(host, 1).Answers(text);
  EXPECT_EQ(Listed(host).size(), Directory::kMaxTargets);
  EXPECT_EQ(host.model().directory().targets().begin()->second.addresses.size(),
            Directory::kMaxAddresses);
  EXPECT_EQ(host.model().directory().left_out(), 3 + Directory::kMaxAddresses + 2 + 2);
}

TEST(Discovery, NamesAreHostile) {
  Host host;
  Discovers(host, 1).Answers("TargetName=iqn.\x1b[2J\0TargetAddress=\"\n\0"s);
  EXPECT_THAT(Listed(host), ElementsAre(R"(iqn.\x1b[2J at "\x0a)"));
}

// A key from an initiator lists nothing. An address before any name lists nothing either.
TEST(Discovery, IsWhatTheTargetSays) {
  Host host;
  Discovers(host, 1).Asks("TargetName=iqn.a\0"s).Answers("TargetAddress=192.0.2.2:3260,1\0"s);
  EXPECT_THAT(Listed(host), IsEmpty());
}

// RFC 7143 11.13.5 and 13.8
TEST(Redirection, LeadsToAnAddress) {
  Host host;
  host.Opens(1)
      .RequestsLogin(LoginText({}))
      .AnswersLogin(kRedirection, 0, 0, "TargetAddress=192.0.2.3:3261\0"s, kTemporarily)
      .Drops();
  EXPECT_THAT(Listed(host), ElementsAre("iqn.disk at -> 192.0.2.3:3261"));
  host.Opens(2)
      .RequestsLogin(LoginText({}))
      .AnswersLogin(kRedirection, 0, 0, "TargetAddress=[2001:db8::3]\0"s, kPermanently)
      .Drops();
  EXPECT_THAT(Listed(host), ElementsAre("iqn.disk at => [2001:db8::3]"));
  const Snapshot snapshot = host.See();
  EXPECT_EQ(snapshot.targets.at({LUNSCOPE_ROLE_INITIATOR, kDisk}).login_redirections, 2u);
  EXPECT_THAT(host.Sessions(), IsEmpty());
}

TEST(Redirection, WithoutAnAddressLeadsNowhere) {
  Host host;
  host.Opens(1).RequestsLogin(LoginText({})).AnswersLogin(kRedirection).Drops();
  EXPECT_THAT(Listed(host), IsEmpty());
}

// The address in any other login failure is not a redirection.
TEST(Redirection, IsOfItsStatusClassOnly) {
  Host host;
  host.Opens(1)
      .RequestsLogin(LoginText({}))
      .AnswersLogin(2, 0, 0, "TargetAddress=192.0.2.3:3261\0"s)
      .Drops();
  EXPECT_THAT(Listed(host), IsEmpty());
}

}  // namespace
}  // namespace lunscope
