// SPDX-License-Identifier: Apache-2.0
// The rules about time: whose it was.
#include <gtest/gtest.h>

#include <string>

#include "tests/diagnosis/clinic.h"

namespace lunscope {
namespace {

constexpr uint64_t kMs = 1'000'000;

lunscope_tcp RoundTrip(uint64_t ms) {
  lunscope_tcp tcp{};
  tcp.send_window_bytes = 65536;
  tcp.smoothed_rtt_us = static_cast<uint32_t>(ms * 1000);
  return tcp;
}

// So many looks, and before each of them ten commands, one behind the other.
void Serves(Clinic& clinic, uint8_t role, const Command& command, uint64_t round_trip_ms = 0) {
  Conversation& on = clinic.host.Opens(1, role).LogsIn();
  if (round_trip_ms != 0) on.Waits(RoundTrip(round_trip_ms));
  clinic.Looks(4, [&] { Run(on, clinic.host, 10, command); });
}

Command Read(uint64_t ms) { return Read16(0, 8).OnLun(Lun(1)).Taking(ms * kMs).Moving(4096); }
Command Write(uint64_t ms, uint32_t bytes = 4096) {
  return Write16(0, bytes / 512).OnLun(Lun(1)).Taking(ms * kMs).Moving(bytes);
}
Command WithR2ts(Command command, uint8_t r2ts) {
  command.record.command.r2ts = r2ts;
  return command;
}
Command SentAgain(Command command) {
  command.record.command.retransmits = 1;
  return command;
}

// Many are in flight at once, and so each takes long.
void ServesMany(Clinic& clinic) {
  Conversation& on = clinic.host.Opens(1, kTarget).LogsIn();
  clinic.Looks(4, [&] {
    for (int i = 0; i < 1000; i++) {
      clinic.host.now_ns += kMs;
      on.Completes(Read(60).Spending(LUNSCOPE_PHASE_ARRIVAL, 0));
    }
  });
}

const Case kCases[] = {
    {"slow-backend", "warning",
     "the backing store of iqn.disk LUN 1 is slow: it takes 55 ms for a read or write, 92 % of "
     "their time | 40 commands took 60 ms on average, 4K each.",
     [](Clinic& clinic) {
       Serves(clinic, kTarget, Read(60).Spending(LUNSCOPE_PHASE_QUEUE, 5 * kMs));
     },
     "many are in flight", ServesMany},
    {"target-reads-late", "warning",
     "the process of iqn.disk LUN 1 reads late: commands wait 55 ms in its socket, 92 % of their "
     "time | 40 commands took 60 ms on average, 4K each.",
     [](Clinic& clinic) {
       Serves(clinic, kTarget, Read(60).Spending(LUNSCOPE_PHASE_QUEUE, 55 * kMs));
     },
     "the backing store is slow",
     [](Clinic& clinic) {
       Serves(clinic, kTarget, Read(60).Spending(LUNSCOPE_PHASE_QUEUE, 5 * kMs));
     }},
    {"slow-answers", "warning",
     "reads and writes to iqn.disk LUN 1 wait 60 ms for their answer, 100 % of their time. It is "
     "the target's: the network is quick | 40 commands took 60 ms on average, 4K each. | A "
     "round trip of TCP takes 2.00 ms.",
     [](Clinic& clinic) {
       Serves(clinic, kInitiator, Read(60).Spending(LUNSCOPE_PHASE_SEND, 0), 2);
     },
     "the network is slow",
     [](Clinic& clinic) {
       Serves(clinic, kInitiator, Read(250).Spending(LUNSCOPE_PHASE_SEND, 0), 240);
     }},
    {"slow-network", "warning",
     "reads and writes to iqn.disk LUN 1 wait 250 ms for their answer, 100 % of their time. It is "
     "the network's: a round trip takes 240 ms | 40 commands took 250 ms on average, 4K "
     "each.",
     [](Clinic& clinic) {
       Serves(clinic, kInitiator, Read(250).Spending(LUNSCOPE_PHASE_SEND, 0), 240);
     },
     "a slow target, whose acknowledgements are delayed",
     [](Clinic& clinic) {
       Serves(clinic, kInitiator, Read(60).Spending(LUNSCOPE_PHASE_SEND, 0), 40);
     }},
    {"late-reader", "warning",
     "answers of iqn.disk LUN 1 for iqn.host at 192.0.2.2 take 55 ms to be sent: the initiator "
     "does not read",
     [](Clinic& clinic) {
       Serves(clinic, kTarget, Read(60).Spending(LUNSCOPE_PHASE_TRANSFER_OUT, 55 * kMs));
     },
     "the backing store is slow",
     [](Clinic& clinic) {
       Serves(clinic, kTarget, Read(60).Spending(LUNSCOPE_PHASE_TRANSFER_OUT, kMs));
     }},
    {"delayed-ack", "warning",
     "small reads and writes of iqn.host at 192.0.2.1 to iqn.disk LUN 1 stand for 40 ms in the "
     "middle of a PDU: 40 times | One end sends a PDU in pieces, and waits with the second piece "
     "until the first is acknowledged. The other end delays that acknowledgement by 40 ms.",
     [](Clinic& clinic) {
       Serves(clinic, kInitiator, Read(41).Spending(LUNSCOPE_PHASE_SEND, 40 * kMs));
     },
     "lost segments are sent again",
     [](Clinic& clinic) {
       Serves(clinic, kInitiator, SentAgain(Read(41).Spending(LUNSCOPE_PHASE_SEND, 40 * kMs)));
     }},
    {"packets-lost", "warning",
     "the network between iqn.host at 192.0.2.1 and iqn.disk loses packets: 8 of 48 commands "
     "needed a segment again | These took 205 ms on average, the others 1.00 ms.",
     [](Clinic& clinic) {
       Conversation& on = clinic.host.Opens(1).LogsIn();
       clinic.Looks(4, [&] {
         Run(on, clinic.host, 10, Read(1));
         Run(on, clinic.host, 2, SentAgain(Read(205)));
       });
     },
     "long commands meet more of what a busy sender sends twice",
     [](Clinic& clinic) {
       Conversation& on = clinic.host.Opens(1).LogsIn();
       clinic.Looks(4, [&] {
         Run(on, clinic.host, 10, Read(1));
         Run(on, clinic.host, 2, SentAgain(Read(90)));
       });
     }},
    {"late-data", "warning",
     "writes of iqn.host at 192.0.2.2 to iqn.disk LUN 1 wait 200 ms for their data, 98 % of their "
     "time: the initiator is late, for the network is quick | It was so for 40 writes.",
     [](Clinic& clinic) {
       Serves(clinic, kTarget,
              WithR2ts(Write(205).Spending(LUNSCOPE_PHASE_TRANSFER_IN, 200 * kMs), 1), 1);
     },
     "many short bursts",
     [](Clinic& clinic) {
       Serves(clinic, kTarget,
              WithR2ts(Write(205, 65536).Spending(LUNSCOPE_PHASE_TRANSFER_IN, 200 * kMs), 16), 12);
     }},
    {"r2t-bound", "warning",
     "writes of iqn.host at 192.0.2.2 to iqn.disk LUN 1 need 8.0 R2Ts each, and so as many round "
     "trips: 8192 bytes a burst | The session has MaxBurstLength=8192, InitialR2T=Yes, "
     "ImmediateData=No. | They wait for data 71 % of their time.",
     [](Clinic& clinic) {
       Conversation& on = clinic.host.Opens(1, kTarget)
                              .LogsIn({.keys = std::string("MaxBurstLength=8192\0InitialR2T=Yes\0"
                                                           "ImmediateData=No\0",
                                                           52),
                                       .answer = std::string("MaxBurstLength=8192\0", 20)});
       clinic.Looks(4, [&] {
         Run(on, clinic.host, 10,
             WithR2ts(Write(7, 65536).Spending(LUNSCOPE_PHASE_TRANSFER_IN, 5 * kMs), 8));
       });
     },
     "large bursts",
     [](Clinic& clinic) {
       Serves(clinic, kTarget,
              WithR2ts(Write(7, 1 << 20).Spending(LUNSCOPE_PHASE_TRANSFER_IN, 5 * kMs), 4));
     }},
};

TEST(TimeRules, FindEachAndNotItsCousin) { Check(kCases); }

// From the initiator's host without TCP's figures, as in a capture, nobody is blamed.
TEST(TimeRules, BlameNobodyWithoutProof) {
  Clinic clinic;
  Serves(clinic, kInitiator, Read(60).Spending(LUNSCOPE_PHASE_SEND, 0));
  EXPECT_EQ(clinic.Words("slow-answers"),
            "reads and writes to iqn.disk LUN 1 wait 60 ms for their answer, 100 % of their time. "
            "It is the target's or the network's, which is not known from here | 40 commands "
            "took 60 ms on average, 4K each.");
}

// Large writes with many in flight wait long for their data: the network is full, and nobody late.
TEST(TimeRules, AreSilentOnAFullNetwork) {
  Clinic clinic;
  Conversation& on = clinic.host.Opens(1, kTarget).LogsIn();
  clinic.Looks(4, [&] {
    for (int i = 0; i < 30; i++) {
      clinic.host.now_ns += 23 * kMs;
      on.Completes(
          WithR2ts(Write(230, 1 << 20).Spending(LUNSCOPE_PHASE_TRANSFER_IN, 147 * kMs), 3));
    }
  });
  EXPECT_TRUE(clinic.Found().empty());
}

// A mkfs writes much at once, and a discard may take long.
TEST(TimeRules, AreSilentOnABurst) {
  Clinic clinic;
  ServesMany(clinic);
  clinic.host.On(1).Completes(Command({0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0}, ISCSI_COMMAND_WRITE)
                                  .OnLun(Lun(1))
                                  .Taking(3 * kSecondNs));
  clinic.Looks(20);
  EXPECT_TRUE(clinic.Found().empty());
}

}  // namespace
}  // namespace lunscope
