// SPDX-License-Identifier: Apache-2.0
// The rules about logins and connects: each is found, and what looks alike is not.
#include <gtest/gtest.h>

#include <string>

#include "tests/diagnosis/clinic.h"

namespace lunscope {
namespace {

using std::string_literals::operator""s;

// A login to the target's host from 192.0.2.number.
Conversation& From(Clinic& clinic, uint8_t number, const std::string& initiator = kHost) {
  clinic.host.now_ns += kSecondNs;
  const uint64_t second = clinic.host.now_ns / kSecondNs;
  return clinic.host.Meets(100 + second, kTarget)
      .HasRemoteHost(number)
      .Opens()
      .LogsIn({.initiator = initiator, .tsih = static_cast<uint16_t>(second)});
}

Conversation& Refused(Clinic& clinic, uint64_t id, uint8_t status_class, uint8_t detail,
                      uint8_t role = kTarget) {
  clinic.host.now_ns += kSecondNs;
  return clinic.host.Opens(id, role)
      .RequestsLogin(LoginText({}))
      .AnswersLogin(status_class, 0, ISCSI_FLAG_FINAL, {}, detail);
}

void FailsToConnect(Clinic& clinic, int times, lunscope_end end) {
  for (int i = 0; i < times; i++) {
    clinic.host.now_ns += kSecondNs;
    clinic.host.Meets(static_cast<uint64_t>(i + 1)).FailsToConnect(end);
  }
}

void IsCut(Clinic& clinic, lunscope_end end) {
  for (uint64_t id : {1, 2}) {
    clinic.host.Opens(id).RequestsLogin(LoginText({})).Ends(end);
    clinic.host.now_ns += kSecondNs;
  }
}

const Case kCases[] = {
    {"session-thrown-out", "critical",
     "192.0.2.7 and 192.0.2.8 log in to iqn.disk under one initiator name, iqn.host, and throw "
     "each other's session out: 5 times | The last time: logged in, in the place of its session "
     "from 192.0.2.7:40106, which is another address.",
     [](Clinic& clinic) {
       for (const uint8_t host : {7, 8, 7, 8, 7, 8}) From(clinic, host);
       clinic.Looks(1);
     },
     "a failover of one host, and another one back, from an address of its own",
     [](Clinic& clinic) {
       for (const uint8_t host : {7, 7, 8, 8, 8, 7}) From(clinic, host);
       clinic.Looks(1);
     }},
    {"login-refused", "warning",
     "iqn.host at 192.0.2.2 cannot log in to iqn.disk: Authentication failure (0201), twice",
     [](Clinic& clinic) {
       Refused(clinic, 1, 2, 1);
       Refused(clinic, 2, 2, 1);
       clinic.Looks(1);
     },
     "it was let in at last",
     [](Clinic& clinic) {
       Refused(clinic, 1, 2, 1);
       From(clinic, 2);
       clinic.Looks(1);
     }},
    {"target-not-found", "warning",
     "iqn.host at 192.0.2.2 asks for the target iqn.disk, which is not there: 3 times",
     [](Clinic& clinic) {
       for (uint64_t id : {1, 2, 3}) Refused(clinic, id, 2, 3);
       clinic.Looks(1);
     },
     "another reason",
     [](Clinic& clinic) {
       Refused(clinic, 1, 2, 2);
       clinic.Looks(1);
     }},
    {"old-session-lingers", "info",
     "iqn.host at 192.0.2.2 was refused by iqn.disk twice (0301), and let in 2.0 s after the first "
     "try",
     [](Clinic& clinic) {
       Refused(clinic, 1, 3, 1);
       Refused(clinic, 2, 3, 1);
       From(clinic, 2);
       clinic.Looks(1);
     },
     "it is still refused",
     [](Clinic& clinic) {
       Refused(clinic, 1, 3, 1);
       Refused(clinic, 2, 3, 1);
       clinic.Looks(1);
     }},
    {"login-unanswered", "critical",
     "iqn.disk does not answer the login of iqn.host at 192.0.2.1: once | The last time: the "
     "target has not answered the Login Request for 5 s.",
     [](Clinic& clinic) {
       clinic.host.Opens(1).RequestsLogin(LoginText({}));
       clinic.Looks(7);
     },
     "it was answered late",
     [](Clinic& clinic) {
       clinic.host.Opens(1).RequestsLogin(LoginText({}));
       clinic.Looks(4);
       clinic.host.On(1).AnswersLogin(0);
       clinic.Looks(4);
     }},
    {"login-cut", "warning",
     "iqn.disk closes the connection of iqn.host at 192.0.2.1 instead of answering its login: "
     "twice | The last time: connection closed by the peer, in the middle of the login; the target "
     "had not answered the Login Request.",
     [](Clinic& clinic) {
       IsCut(clinic, LUNSCOPE_END_CLOSED_BY_PEER);
       clinic.Looks(1);
     },
     "the initiator closes",
     [](Clinic& clinic) {
       IsCut(clinic, LUNSCOPE_END_CLOSED_HERE);
       clinic.Looks(1);
     }},
    {"portal-refused", "warning",
     "nothing listens on the portal 192.0.2.2:3260, where this host wants to connect: 3 times | "
     "The last time: connect to 192.0.2.2:3260 refused: nothing listens there, or a firewall "
     "refuses it.",
     [](Clinic& clinic) {
       FailsToConnect(clinic, 3, LUNSCOPE_END_REFUSED);
       clinic.Looks(1);
     },
     "once, as at a restart of the target",
     [](Clinic& clinic) {
       FailsToConnect(clinic, 1, LUNSCOPE_END_REFUSED);
       clinic.Looks(1);
     }},
    {"portal-silent", "warning",
     "the portal 192.0.2.2:3260 does not answer the connects of this host: once | The last time: "
     "connect to 192.0.2.2:3260 not answered: its SYN was sent again and again.",
     [](Clinic& clinic) {
       FailsToConnect(clinic, 1, LUNSCOPE_END_UNANSWERED);
       clinic.Looks(1);
     },
     "it is refused",
     [](Clinic& clinic) {
       FailsToConnect(clinic, 2, LUNSCOPE_END_REFUSED);
       clinic.Looks(1);
     }},
};

TEST(LoginRules, FindEachAndNotItsCousin) { Check(kCases); }

TEST(LoginRules, SayWhatToDoByTheStatus) {
  Clinic clinic;
  Refused(clinic, 1, 2, 1);
  clinic.Looks(1);
  EXPECT_EQ(clinic.diagnosis.All().at(0).advice.substr(0, 36),
            "Wrong or missing CHAP name or passwo");
}

// An initiator name is a hostile text, and a finding is read on a terminal.
TEST(LoginRules, ShowHostileNamesEscaped) {
  Clinic clinic;
  clinic.host.Opens(1, kTarget)
      .RequestsLogin(LoginText({.initiator = "iqn.\x1b[2Jhost"}))
      .AnswersLogin(2, 0, ISCSI_FLAG_FINAL, {}, 1);
  clinic.Looks(1);
  EXPECT_EQ(clinic.Words("login-refused"),
            "iqn.\\x1b[2Jhost at 192.0.2.2 cannot log in to iqn.disk: Authentication failure "
            "(0201), once");
}

}  // namespace
}  // namespace lunscope
