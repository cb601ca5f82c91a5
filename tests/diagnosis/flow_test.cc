// SPDX-License-Identifier: Apache-2.0
// The rules about sessions that break, and about what stands still.
#include <gtest/gtest.h>

#include <string>

#include "tests/diagnosis/clinic.h"

namespace lunscope {
namespace {

// A session whose command waits for an answer since now.
Conversation& Waits(Clinic& clinic, uint8_t role = kInitiator) {
  return clinic.host.Opens(1, role).LogsIn().Takes(63).Holds({{Lun(1), clinic.host.now_ns}});
}

lunscope_tcp Idle() {
  lunscope_tcp tcp{};
  tcp.send_window_bytes = 65536;
  tcp.smoothed_rtt_us = 200;
  return tcp;
}

lunscope_tcp Unacknowledged(uint64_t seconds) {
  lunscope_tcp tcp = Idle();
  tcp.unacknowledged_bytes = 1448;
  tcp.unacknowledged_ns = seconds * kSecondNs;
  return tcp;
}

lunscope_tcp ClosedWindow() {
  lunscope_tcp tcp = Idle();
  tcp.send_window_bytes = 0;
  tcp.unsent_bytes = 9000;
  return tcp;
}

void Drops(Clinic& clinic, int times, lunscope_end end) {
  for (int i = 0; i < times; i++) {
    clinic.host.now_ns += kSecondNs;
    clinic.host.Opens(static_cast<uint64_t>(i + 1)).LogsIn().Ends(end);
  }
  clinic.Looks(1);
}

const Case kSessions[] = {
    {"target-ignores-pings", "critical",
     "iqn.disk does not answer the pings (NOP-Out) of iqn.host at 192.0.2.1, although commands are "
     "answered meanwhile: once",
     [](Clinic& clinic) {
       Conversation& on = clinic.host.Opens(1).LogsIn().Pings();
       clinic.Looks(8, [&] { on.Completes(Read16(0, 8)); });
     },
     "it answers within 5 s",
     [](Clinic& clinic) {
       Conversation& on = clinic.host.Opens(1).LogsIn().PingsFor(4 * kSecondNs);
       clinic.Looks(8, [&] { on.Completes(Read16(0, 8)); });
     }},
    {"initiator-ignores-pings", "warning",
     "iqn.host at 192.0.2.1 does not answer the pings (NOP-In) of iqn.disk, and no command was "
     "answered meanwhile either: once",
     [](Clinic& clinic) {
       clinic.host.Opens(1).LogsIn().TargetPings();
       clinic.Looks(8);
     },
     "it is the target that does not answer",
     [](Clinic& clinic) {
       clinic.host.Opens(1).LogsIn().Pings();
       clinic.Looks(8);
     }},
    {"session-drops", "warning",
     "the session of iqn.host at 192.0.2.1 with iqn.disk breaks again and again: the target resets "
     "the connection without a logout, 3 times | The last time: connection reset by the peer, "
     "without a logout.",
     [](Clinic& clinic) { Drops(clinic, 3, LUNSCOPE_END_RESET_BY_PEER); },
     "a tool that never logs out",
     [](Clinic& clinic) { Drops(clinic, 9, LUNSCOPE_END_CLOSED_HERE); }},
    {"pdu-too-long", "warning",
     "between iqn.host at 192.0.2.1 and iqn.disk, the target sends a Data-In of 16384 bytes, and "
     "the initiator takes at most 8192 bytes (MaxRecvDataSegmentLength)",
     [](Clinic& clinic) {
       clinic.host.Opens(1).LogsIn().Sees(16384, 4096, 0, 0);
       clinic.Looks(1);
     },
     "as long as the login allows",
     [](Clinic& clinic) {
       clinic.host.Opens(1).LogsIn().Sees(8192, 8192, 8192, 262144);
       clinic.Looks(1);
     }},
    {"pdu-rejected", "warning",
     "iqn.disk rejects PDUs of iqn.host at 192.0.2.1: Protocol Error, once | The last time: "
     "Reject: Protocol Error, of a NOP-Out with ITT 0.",
     [](Clinic& clinic) {
       clinic.host.Opens(1).LogsIn().Rejects(4);
       clinic.Looks(1);
     },
     "a command with an illegal request",
     [](Clinic& clinic) {
       clinic.host.Opens(1).LogsIn().Completes(Read16(0, 8).Sensing(5, 0x20, 0));
       clinic.Looks(1);
     }},
    {"digest-errors", "critical",
     "bytes change on their way between iqn.host at 192.0.2.1 and iqn.disk: a header digest was "
     "wrong once",
     [](Clinic& clinic) {
       clinic.host.Opens(1).LogsIn().Tells(0, 2);
       clinic.Looks(1);
     },
     "a gap",
     [](Clinic& clinic) {
       clinic.host.Opens(1).LogsIn().Tells(1, 0);
       clinic.Looks(1);
     }},
};

const Case kFlow[] = {
    {"target-stopped", "critical",
     "the process of the target iqn.disk has stopped: 96 bytes of iqn.host at 192.0.2.2 wait in "
     "its socket, and nothing comes back | 1 command in flight, the oldest for 7.0 s.",
     [](Clinic& clinic) {
       Waits(clinic, kTarget).Leaves(96);
       clinic.Looks(7);
     },
     "it is busy, and answers",
     [](Clinic& clinic) {
       Conversation& on = Waits(clinic, kTarget).Leaves(96);
       clinic.Looks(9, [&] { on.Completes(Read16(0, 8)); });
     }},
    {"target-silent", "warning",
     "nothing comes back from iqn.disk to iqn.host at 192.0.2.1: 1 command in flight, the oldest "
     "for 12.0 s | TCP of its host acknowledges all bytes, so the network is alive: it is the "
     "target's process or its backing store.",
     [](Clinic& clinic) {
       Waits(clinic).Waits(Idle());
       clinic.Looks(12);
     },
     "the network is silent",
     [](Clinic& clinic) {
       Waits(clinic).Waits(Unacknowledged(9));
       clinic.Looks(12);
     }},
    {"network-silent", "critical",
     "1448 bytes from here to 192.0.2.2:3260 (the target's host) have had no acknowledgement for "
     "6.0 s | 1 command in flight, the oldest for 1.0 s.",
     [](Clinic& clinic) {
       Waits(clinic).Waits(Unacknowledged(6));
       clinic.Looks(1);
     },
     "the peer has closed its TCP window",
     [](Clinic& clinic) {
       lunscope_tcp tcp = Unacknowledged(6);
       tcp.send_window_bytes = 0;
       Waits(clinic).Waits(tcp);
       clinic.Looks(9);
     }},
    {"initiator-not-reading", "critical",
     "the initiator iqn.host at 192.0.2.2 does not read what iqn.disk sends: its TCP window is "
     "closed, and 9000 bytes wait to be sent | 1 command in flight, the oldest for 4.0 s.",
     [](Clinic& clinic) {
       Waits(clinic, kTarget).Waits(ClosedWindow());
       clinic.Looks(4);
     },
     "it reads in between",
     [](Clinic& clinic) {
       Conversation& on = Waits(clinic, kTarget);
       bool is_closed = false;
       clinic.Looks(9, [&] { on.Waits((is_closed = !is_closed) ? ClosedWindow() : Idle()); });
     }},
    {"window-shut", "warning",
     "the command window of iqn.disk is shut 90 % of the time for iqn.host at 192.0.2.1: it takes "
     "1 command at a time | It was shut for 3.6 s of the last 4.0 s.",
     [](Clinic& clinic) {
       Conversation& on = Waits(clinic).Takes(0);
       clinic.Looks(4, [&] { on.ShutsWindow(900'000'000).Completes(Read16(0, 8)); });
     },
     "the target has stopped, and so its window does not open",
     [](Clinic& clinic) {
       Conversation& on = Waits(clinic).Takes(0);
       clinic.Looks(9, [&] { on.ShutsWindow(kSecondNs); });
     }},
    {"commands-beyond-window", "critical",
     "iqn.host at 192.0.2.1 sent 2 commands with a CmdSN above MaxCmdSN to iqn.disk, which ignores "
     "them for ever",
     [](Clinic& clinic) {
       clinic.host.Opens(1).LogsIn().SendsBeyond(2);
       clinic.Looks(1);
     },
     "the window is shut, and the initiator waits",
     [](Clinic& clinic) {
       Conversation& on = Waits(clinic).Takes(0);
       clinic.Looks(4, [&] { on.ShutsWindow(900'000'000).Completes(Read16(0, 8)); });
     }},
};

TEST(SessionRules, FindEachAndNotItsCousin) { Check(kSessions); }
TEST(FlowRules, FindEachAndNotItsCousin) { Check(kFlow); }

// As full as a target allows is no trouble.
TEST(FlowRules, AWideWindowThatIsFullIsAnInformation) {
  Clinic clinic;
  std::vector<Task> tasks(128, Task{Lun(1), clinic.host.now_ns});
  Conversation& on = clinic.host.Opens(1).LogsIn().Takes(0).Holds(tasks);
  clinic.Looks(4, [&] { on.ShutsWindow(900'000'000).Completes(Read16(0, 8)); });
  EXPECT_EQ(clinic.Found(), std::vector<std::string>{"info window-shut"});
}

struct LengthRow {
  uint32_t received, sent, immediate, r2t;
  const char* sentence;  // its second half; "": nothing is wrong
};

TEST(SessionRules, CompareEachLengthWithItsKey) {
  const LengthRow kRows[] = {
      {8193, 0, 0, 0,
       "the target sends a Data-In of 8193 bytes, and the initiator takes at most 8192 bytes "
       "(MaxRecvDataSegmentLength)"},
      {0, 131073, 0, 0,
       "the initiator sends a Data-Out of 131073 bytes, and the target takes at most 131072 bytes "
       "(MaxRecvDataSegmentLength)"},
      {0, 0, 131073, 0,
       "the initiator sends a command with immediate data of 131073 bytes, and the target takes at "
       "most 131072 bytes (MaxRecvDataSegmentLength)"},
      {0, 0, 65537, 0,
       "the initiator sends a command with immediate data of 65537 bytes, and the session takes at "
       "most 65536 bytes (FirstBurstLength)"},
      {0, 0, 0, 262145,
       "the target sends an R2T of 262145 bytes, and the session takes at most 262144 bytes "
       "(MaxBurstLength)"},
      {8192, 131072, 65536, 262144, ""},
  };
  const std::string answer("MaxRecvDataSegmentLength=131072\0", 32);
  for (const LengthRow& row : kRows) {
    for (const bool is_declared_again : {false, true}) {
      Clinic clinic;
      Conversation& on = clinic.host.Opens(1).LogsIn({.answer = answer});
      if (is_declared_again) on.Asks(std::string("MaxRecvDataSegmentLength=4096\0", 30));
      on.Sees(row.received, row.sent, row.immediate, row.r2t);
      clinic.Looks(1);
      const bool is_wrong = *row.sentence != '\0' && !is_declared_again;
      EXPECT_EQ(clinic.Words("pdu-too-long"),
                is_wrong
                    ? std::string("between iqn.host at 192.0.2.1 and iqn.disk, ") + row.sentence
                    : "");
    }
  }
}

// Behind unanswered pings the session breaks: that belongs to them.
TEST(SessionRules, SayWhatCameOfUnansweredPings) {
  Clinic clinic;
  clinic.host.Opens(1).LogsIn().Pings();
  clinic.Looks(6);
  clinic.host.On(1).Ends(LUNSCOPE_END_RESET_HERE);
  clinic.Looks(1);
  EXPECT_EQ(clinic.Words("target-ignores-pings"),
            "iqn.disk does not answer the pings (NOP-Out) of iqn.host at 192.0.2.1, and no command "
            "was answered meanwhile either: once | Behind that the connection ended once.");
}

}  // namespace
}  // namespace lunscope
