// SPDX-License-Identifier: Apache-2.0
// An answer that does not come is overdue after a while, and a listener hears of it once.
#include "collector/model/overdue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kLogin = "TargetName=iqn.disk\0"s;

struct OverdueRow {
  const char* what;
  std::function<void(Conversation&)> asks;
  std::function<void(Conversation&)> answers;
  const char* name;
};

const OverdueRow kOverdues[] = {
    {"a login", [](Conversation& on) { on.RequestsLogin(kLogin); },
     [](Conversation& on) { on.AnswersLogin(0); }, "login"},
    {"a ping", [](Conversation& on) { on.LogsIn().Pings(); },
     [](Conversation& on) { on.AnswersPing(); }, "ping of the initiator"},
    {"the connection ends", [](Conversation& on) { on.RequestsLogin(kLogin); },
     [](Conversation& on) { on.Closes(); }, "login"},
};

TEST(Overdue, ComesOnceAndNotBeforeItsTime) {
  for (const OverdueRow& row : kOverdues) {
    Host host;
    row.asks(host.Opens(1));
    host.now_ns += kOverdueNs - 1;
    EXPECT_THAT(host.Overdues(), IsEmpty()) << row.what;
    host.now_ns += 1;
    EXPECT_THAT(host.Overdues(), ElementsAre(row.name + " 5000 ms"s)) << row.what;
    host.now_ns += kOverdueNs;
    EXPECT_THAT(host.Overdues(), IsEmpty()) << row.what;
  }
}

TEST(Overdue, IsNothingThatWasAnswered) {
  for (const OverdueRow& row : kOverdues) {
    Host host;
    row.asks(host.Opens(1));
    row.answers(host.On(1));
    host.now_ns += 2 * kOverdueNs;
    EXPECT_THAT(host.Overdues(), IsEmpty()) << row.what;
  }
}

TEST(Overdue, SaysWhetherCommandsAreAnswered) {
  Host host;
  host.Opens(1).LogsIn().Pings();
  host.now_ns += kOverdueNs;
  host.On(1).Completes(Read16(0, 8));
  EXPECT_THAT(host.Overdues(), ElementsAre("ping of the initiator 5000 ms, answering"));
}

TEST(Overdue, CanComeAgain) {
  Host host;
  for (int i = 0; i < 2; i++) {
    host.now_ns += 1;
    Conversation& on = i == 0 ? host.Opens(1) : host.On(1);
    on.RequestsLogin(kLogin);
    host.now_ns += kOverdueNs;
    EXPECT_THAT(host.Overdues(), ElementsAre("login 5000 ms"));
    on.AnswersLogin(0, 1, 0);
  }
}

}  // namespace
}  // namespace lunscope
