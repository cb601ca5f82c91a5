// SPDX-License-Identifier: Apache-2.0
// The rules about logical units.
#include <gtest/gtest.h>

#include <string>

#include "tests/diagnosis/clinic.h"

namespace lunscope {
namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint8_t kBusy = 0x08;
constexpr uint8_t kConflict = 0x18;
constexpr uint8_t kTaskSetFull = 0x28;

Command Cdb(const std::vector<uint8_t>& cdb) { return Command(cdb).OnLun(Lun(1)); }
Command Read() { return Read16(0, 8).OnLun(Lun(1)); }
Command WriteAt(uint64_t lba) { return Write16(lba, 8).OnLun(Lun(1)); }
Command ReadCapacity() { return Cdb({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0}); }
Command Reserve() { return Cdb({0x5f, 1, 5, 0, 0, 0, 0, 0, 24, 0}); }
Command SetTargetPortGroups() { return Cdb({0xa4, 0x0a, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0}); }
Command Unmap() { return Command({0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0}, 0x20).OnLun(Lun(1)); }

// A session at the target's host, of the host 192.0.2.number.
Conversation& Of(Clinic& clinic, uint8_t number, const char* initiator) {
  return clinic.host.Meets(number, kTarget)
      .HasRemoteHost(number)
      .Opens()
      .LogsIn({.initiator = initiator, .tsih = number});
}

void Grows(Clinic& clinic, bool is_asked) {
  Conversation& on = clinic.host.Opens(1).LogsIn();
  on.Completes(Read().Sensing(6, 0x2a, 0x09));
  if (is_asked) on.Completes(ReadCapacity());
  clinic.Looks(12, [&] { on.Completes(Read()); });
}

void Discards(Clinic& clinic, uint64_t read_ms) {
  Conversation& on = clinic.host.Opens(1).LogsIn();
  clinic.Looks(12, [&] { Run(on, clinic.host, 10, Read().Taking(kMs)); });
  clinic.Looks(25, [&] {
    on.Completes(Unmap().Taking(90 * kMs));
    Run(on, clinic.host, 10, Read().Taking(read_ms * kMs));
  });
}

const Case kCases[] = {
    {"commands-aborted", "warning",
     "iqn.host at 192.0.2.1 gives up commands to iqn.disk LUN 0: ABORT TASK twice, LOGICAL UNIT "
     "RESET once | It was answered: Function complete once, Task does not exist once. | 1 command "
     "had waited 31.0 s on average by then.",
     [](Clinic& clinic) {
       Conversation& on = clinic.host.Opens(1).LogsIn();
       on.RequestsTask(1).RequestsTask(1).RequestsTask(5).AnswersTask(0).AnswersTask(1);
       on.Completes(Read16(0, 8).Taking(31 * kSecondNs).Unanswered(LUNSCOPE_UNREPORTED_ABORTED, 1));
       clinic.Looks(1);
     },
     "the connection is closed on a command",
     [](Clinic& clinic) {
       clinic.host.Opens(1).LogsIn().Completes(
           Read().Unanswered(LUNSCOPE_UNREPORTED_CONNECTION_CLOSED));
       clinic.Looks(1);
     }},
    {"reservation-conflict", "warning",
     "iqn.b at 192.0.2.8 is refused by the reservation of iqn.disk LUN 1: RESERVATION CONFLICT 3 "
     "times | The last RESERVE that succeeded was of iqn.a at 192.0.2.7.",
     [](Clinic& clinic) {
       Of(clinic, 7, "iqn.a").Completes(Reserve());
       Conversation& asks = Of(clinic, 8, "iqn.b");
       for (int i = 0; i < 3; i++) asks.Completes(WriteAt(0).Ending(kConflict));
       clinic.Looks(1);
     },
     "a CHECK CONDITION",
     [](Clinic& clinic) {
       Of(clinic, 8, "iqn.b").Completes(WriteAt(0).Sensing(5, 0x21, 0));
       clinic.Looks(1);
     }},
    {"queue-full", "warning",
     "iqn.disk LUN 1 has no room for more commands: BUSY or TASK SET FULL 6 times | 7 commands in "
     "the same window.",
     [](Clinic& clinic) {
       Conversation& on = clinic.host.Opens(1).LogsIn().Completes(Read());
       for (int i = 0; i < 3; i++)
         on.Completes(Read().Ending(kBusy)).Completes(Read().Ending(kTaskSetFull));
       clinic.Looks(1);
     },
     "a few tell how far the initiator may go",
     [](Clinic& clinic) {
       Conversation& on = clinic.host.Opens(1).LogsIn();
       for (int i = 0; i < 4; i++) on.Completes(Read().Ending(kTaskSetFull));
       clinic.Looks(1);
     }},
    {"capacity-not-read", "warning",
     "iqn.host at 192.0.2.1 uses iqn.disk LUN 1 with its old size: the target said that the "
     "capacity has changed, and it did not ask for the new one | 12 commands since then, and no "
     "READ CAPACITY.",
     [](Clinic& clinic) { Grows(clinic, false); }, "it asks",
     [](Clinic& clinic) { Grows(clinic, true); }},
    {"luns-not-listed", "info",
     "iqn.host at 192.0.2.1 did not look at the new list of LUNs of "
     "iqn.disk",
     [](Clinic& clinic) {
       clinic.host.Opens(1).LogsIn().Completes(Read().Sensing(6, 0x3f, 0x0e));
       clinic.Looks(31);
     },
     "it looks, at another LUN",
     [](Clinic& clinic) {
       clinic.host.Opens(1)
           .LogsIn()
           .Completes(Read().Sensing(6, 0x3f, 0x0e))
           .Completes(Command({0xa0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0}));
       clinic.Looks(31);
     }},
    {"two-writers", "warning",
     "two initiators write to iqn.disk LUN 1: iqn.a at 192.0.2.7 and iqn.b at 192.0.2.8 | Both "
     "have written the same blocks, and nobody reserved the LUN.",
     [](Clinic& clinic) {
       Of(clinic, 7, "iqn.a").Completes(WriteAt(100));
       Of(clinic, 8, "iqn.b").Completes(WriteAt(104));
       clinic.Looks(1);
     },
     "one initiator over two paths",
     [](Clinic& clinic) {
       Of(clinic, 7, "iqn.a").Completes(WriteAt(100));
       clinic.host.Meets(9, kTarget)
           .HasRemoteHost(9)
           .Opens()
           .LogsIn({.initiator = "iqn.a", .isid = kIsid + 1, .tsih = 9})
           .Completes(WriteAt(100));
       clinic.Looks(1);
     }},
    {"standby-path", "warning",
     "reads and writes to iqn.disk LUN 1 go to a path in standby, which refuses them: 3 times",
     [](Clinic& clinic) {
       Conversation& on = clinic.host.Opens(1).LogsIn();
       for (int i = 0; i < 3; i++) on.Completes(Read().Sensing(2, 0x04, 0x0b));
       clinic.Looks(1);
     },
     "multipathd asks a path in standby how it is",
     [](Clinic& clinic) {
       Conversation& on = clinic.host.Opens(1).LogsIn();
       for (int i = 0; i < 9; i++) on.Completes(Cdb({0, 0, 0, 0, 0, 0}).Sensing(2, 0x04, 0x0b));
       clinic.Looks(1);
     }},
    {"path-ping-pong", "warning",
     "the active path of iqn.disk LUN 1 is changed again and again: SET TARGET PORT GROUPS 4 times",
     [](Clinic& clinic) {
       Conversation& on = clinic.host.Opens(1).LogsIn();
       for (int i = 0; i < 4; i++) on.Completes(SetTargetPortGroups());
       clinic.Looks(1);
     },
     "a failover and its failback",
     [](Clinic& clinic) {
       clinic.host.Opens(1)
           .LogsIn()
           .Completes(SetTargetPortGroups())
           .Completes(SetTargetPortGroups());
       clinic.Looks(1);
     }},
    {"discard-storm", "warning",
     "discards slow down iqn.disk LUN 1: a read takes 30 ms beside them, and 1.00 ms without | 10 "
     "discards of 90 ms on average.",
     [](Clinic& clinic) { Discards(clinic, 30); }, "reads are as quick as before",
     [](Clinic& clinic) { Discards(clinic, 1); }},
};

TEST(LunRules, FindEachAndNotItsCousin) { Check(kCases); }

// Cluster file systems do that.
TEST(LunRules, WritersOfDifferentBlocksAreAnInformation) {
  Clinic clinic;
  Of(clinic, 7, "iqn.a").Completes(WriteAt(100));
  Of(clinic, 8, "iqn.b").Completes(WriteAt(200));
  clinic.Looks(1);
  EXPECT_EQ(clinic.Found(), std::vector<std::string>{"info two-writers"});
}

// A login with its unit attentions, a scan of devices with its illegal requests, and some I/O.
TEST(LunRules, AreSilentOnAGoodDay) {
  Clinic clinic;
  Conversation& on = clinic.host.Opens(1).LogsIn();
  on.Completes(Cdb({0, 0, 0, 0, 0, 0}).Sensing(6, 0x29, 0));
  for (const uint8_t code : {0x12, 0x1a, 0x9e, 0xa3, 0x42})
    on.Completes(Cdb({code, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}).Sensing(5, 0x20, 0));
  clinic.Looks(30, [&] { on.Completes(WriteAt(0)).Completes(Read()).PingsFor(kMs); });
  on.LogsOut().Closes();
  clinic.Looks(2);
  EXPECT_TRUE(clinic.Found().empty());
}

}  // namespace
}  // namespace lunscope
