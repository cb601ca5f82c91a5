// SPDX-License-Identifier: Apache-2.0
//
// The names of a connection from the host's sessions: one row for each case. A name counts unless
// another session that fits contradicts it.
#include "collector/base/host_session.h"

#include <gtest/gtest.h>
#include <lunscope/types.h>

namespace lunscope {
namespace {

constexpr uint8_t kInitiator = LUNSCOPE_ROLE_INITIATOR;
constexpr uint8_t kTarget = LUNSCOPE_ROLE_TARGET;

HostSession Described(uint8_t role, const char* target, const char* initiator, const char* portal,
                      const char* initiator_address) {
  HostSession session{role, target, initiator, {ParseAddress(portal)}, {}, "here"};
  if (*initiator_address != 0) session.initiator_address = ParseAddress(initiator_address);
  return session;
}

HostSession Idle(const char* target, const char* portal) {
  HostSession session = Described(kTarget, target, "", portal, "");
  session.has_connection = false;
  return session;
}

struct Row {
  const char* what;
  std::vector<HostSession> sessions;
  uint8_t role;
  const char* local;
  const char* remote;
  const char* names;  // "target initiator source"
};

const HostSession kDisk = Described(kTarget, "disk", "host", "0.0.0.0:3260", "192.0.2.7");

const Row kRows[] = {
    {"no session", {}, kTarget, "192.0.2.1:3260", "192.0.2.7:5000", "  "},
    {"one session", {kDisk}, kTarget, "192.0.2.1:3260", "192.0.2.7:5000", "disk host here"},
    {"another port", {kDisk}, kTarget, "192.0.2.1:3261", "192.0.2.7:5000", "  "},
    {"another initiator", {kDisk}, kTarget, "192.0.2.1:3260", "192.0.2.8:5000", "  "},
    {"another host's target", {kDisk}, kInitiator, "192.0.2.7:5000", "192.0.2.1:3260", "  "},
    {"the other end, on this host",
     {Described(kTarget, "disk", "host", "[::]:3260", "192.0.2.1")},
     kInitiator,
     "192.0.2.1:5000",
     "192.0.2.1:3260",
     "disk host here"},
    {"two that agree",
     {kDisk, kDisk},
     kTarget,
     "192.0.2.1:3260",
     "192.0.2.7:5000",
     "disk host here"},
    {"two targets of one initiator",
     {kDisk, Described(kTarget, "tape", "host", "0.0.0.0:3260", "192.0.2.7")},
     kTarget,
     "192.0.2.1:3260",
     "192.0.2.7:5000",
     " host here"},
    {"two initiators at one address",
     {kDisk, Described(kTarget, "disk", "other", "0.0.0.0:3260", "192.0.2.7")},
     kTarget,
     "192.0.2.1:3260",
     "192.0.2.7:5000",
     "disk  here"},
    {"three, the last like the first",
     {kDisk, Described(kTarget, "tape", "host", "0.0.0.0:3260", "192.0.2.7"), kDisk},
     kTarget,
     "192.0.2.1:3260",
     "192.0.2.7:5000",
     " host here"},
    {"an initiator without an address",
     {Described(kTarget, "disk", "host", "192.0.2.1:3260", "")},
     kTarget,
     "192.0.2.1:3260",
     "192.0.2.7:5000",
     "disk host here"},
    {"two sessions that differ by the local port",
     {Described(kInitiator, "disk", "host", "192.0.2.1:3260", "[::]:5000"),
      Described(kInitiator, "tape", "host", "192.0.2.1:3260", "[::]:5001")},
     kInitiator,
     "192.0.2.7:5001",
     "192.0.2.1:3260",
     "tape host here"},
    {"another portal",
     {Described(kInitiator, "disk", "host", "192.0.2.1:3260", "")},
     kInitiator,
     "192.0.2.7:5001",
     "192.0.2.2:3260",
     "  "},
    {"a target that nobody has logged in to",
     {Idle("tape", "192.0.2.1:3260")},
     kTarget,
     "192.0.2.1:3260",
     "192.0.2.7:5000",
     "  "},
    {"a session, and another target of the portal that nobody has logged in to",
     {kDisk, Idle("tape", "192.0.2.1:3260")},
     kTarget,
     "192.0.2.1:3260",
     "192.0.2.7:5000",
     "disk host here"},
    {"a portal that is not an address",
     {Described(kTarget, "disk", "host", "nonsense", "")},
     kTarget,
     "192.0.2.1:3260",
     "192.0.2.7:5001",
     "  "},
};

TEST(HostSession, IsFoundByTheEndsOfAConnection) {
  for (const Row& row : kRows) {
    const HostSession found = FindHostSession(row.sessions, row.role, row.local, row.remote);
    EXPECT_EQ(found.target + " " + found.initiator + " " + found.source, row.names) << row.what;
  }
}

}  // namespace
}  // namespace lunscope
