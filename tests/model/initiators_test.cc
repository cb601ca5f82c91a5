// SPDX-License-Identifier: Apache-2.0
// The counts of each initiator. They add up to the counts of the LUNs, under any traffic and cap.
#include "collector/model/initiators.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <compare>
#include <string>
#include <vector>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Total {
  uint64_t commands = 0;
  uint64_t duration_ns = 0;
  uint64_t read_bytes = 0;
  uint64_t written_bytes = 0;
  auto operator<=>(const Total&) const = default;
};

Total TotalOfLuns(const Snapshot& snapshot, uint8_t role) {
  Total total;
  for (const auto& [key, target] : snapshot.targets) {
    if (key.role != role) continue;
    for (const auto& [number, lun] : target.luns) {
      total.read_bytes += lun.read_bytes;
      total.written_bytes += lun.written_bytes;
      for (const auto& operation : lun.operations) {
        if (!operation) continue;
        total.commands += operation->duration_ns.count();
        total.duration_ns += operation->duration_ns.sum();
      }
    }
  }
  return total;
}

Total TotalOfInitiators(const Snapshot& snapshot, uint8_t role) {
  Total total;
  for (const auto& [key, initiator] : snapshot.initiators) {
    if (key.role != role) continue;
    total.commands += initiator.commands;
    total.duration_ns += initiator.duration_ns;
    total.read_bytes += initiator.read_bytes;
    total.written_bytes += initiator.written_bytes;
  }
  return total;
}

// "target initiator commands", in the order of the snapshot.
std::vector<std::string> CommandsOf(const Snapshot& snapshot) {
  std::vector<std::string> lines;
  for (const auto& [key, initiator] : snapshot.initiators)
    lines.push_back(fmt::format("{} {} {}", key.target, key.initiator, initiator.commands));
  return lines;
}

Conversation& ReadAndWrite(Conversation& conversation) {
  return conversation.Completes(Read16(0, 8).Taking(1000))
      .Completes(Write16(0, 16).OnLun(Lun(1)).Taking(20'000))
      .Completes(Read16(0, 8).Taking(300).Sensing(3, 0x11, 0));
}

HostSession Described(uint64_t id, const std::string& target, const std::string& initiator) {
  return {kInitiator,
          target,
          initiator,
          {{"192.0.2.2", ISCSI_DEFAULT_PORT}},
          {"", static_cast<uint16_t>(40000 + id)},
          "sysfs"};
}

struct InitiatorRow {
  const char* what;
  void (*traffic)(Host&);
  std::vector<std::string> commands;  // with room for all
};

const InitiatorRow kInitiatorRows[] = {
    {"nothing", [](Host&) {}, {}},
    {"a login without a command", [](Host& host) { host.Opens(1).LogsIn(); }, {}},
    {"two initiators of one target, one with two sessions",
     [](Host& host) {
       for (const uint64_t id : {1, 2})
         ReadAndWrite(host.Opens(id, kTarget).LogsIn({.initiator = "iqn.a", .isid = id}));
       ReadAndWrite(host.Opens(3, kTarget).LogsIn({.initiator = "iqn.b"})).Drops();
     },
     {"iqn.disk iqn.a 6", "iqn.disk iqn.b 3"}},
    {"one initiator of two targets, in both roles",
     [](Host& host) {
       ReadAndWrite(host.Opens(1).LogsIn({.target = "iqn.x"}));
       ReadAndWrite(host.Opens(2).LogsIn({.target = "iqn.y"}));
       ReadAndWrite(host.Opens(3, kTarget).LogsIn({.target = "iqn.x"}));
     },
     {"iqn.x iqn.host 3", "iqn.y iqn.host 3", "iqn.x iqn.host 3"}},
    {"names that stand for a missing name",
     [](Host& host) {
       for (uint64_t id = 1; const char* name : {kOverflowName, kUnknownName, kDiscoveryName})
         ReadAndWrite(host.Opens(id++).LogsIn({.initiator = name}));
     },
     {R"(iqn.disk \x64iscovery 3)", R"(iqn.disk \x6fverflow 3)", R"(iqn.disk \x75nknown 3)"}},
    {"a name with control characters",
     [](Host& host) { ReadAndWrite(host.Opens(1).LogsIn({.initiator = "iqn.\x1b[2J\n"})); },
     {R"(iqn.disk iqn.\x1b[2J\x0a 3)"}},
    {"no login was seen",
     [](Host& host) { ReadAndWrite(host.Meets(1).IsFound()); },
     {"unknown unknown 3"}},
    {"the names come late: nothing moves",
     [](Host& host) {
       ReadAndWrite(host.Meets(1).IsFound());
       host.Knows({Described(1, kDisk, "iqn.late")});
       ReadAndWrite(host.On(1));
       host.Knows({Described(1, kDisk, "iqn.other")});
       ReadAndWrite(host.On(1));
     },
     {"iqn.disk iqn.late 6", "unknown unknown 3"}},
    {"only the initiator's name comes",
     [](Host& host) {
       ReadAndWrite(host.Meets(1).IsFound());
       host.Knows({Described(1, "", kOverflowName)});
       ReadAndWrite(host.On(1));
     },
     {R"(unknown \x6fverflow 3)", "unknown unknown 3"}},
    {"another initiator logs in on the same connection",
     [](Host& host) {
       ReadAndWrite(host.Opens(1).LogsIn({.initiator = "iqn.a"}));
       ReadAndWrite(host.On(1).LogsIn({.initiator = "iqn.b"}));
       ReadAndWrite(host.On(1).LogsIn({.initiator = "iqn.a"}));
     },
     {"iqn.disk iqn.a 6", "iqn.disk iqn.b 3"}},
    {"a login request without a target",
     [](Host& host) {
       using std::string_literals::operator""s;
       ReadAndWrite(host.Opens(1));
       ReadAndWrite(host.On(1).RequestsLogin("InitiatorName=iqn.a\0"s));
     },
     {"unknown iqn.a 3", "unknown unknown 3"}},
    {"commands without a status count nowhere, and those that the target failed do",
     [](Host& host) {
       host.Opens(1)
           .LogsIn()
           .Completes(Read16(0, 1).Unanswered(LUNSCOPE_UNREPORTED_GAP))
           .Completes(Read16(0, 1).Responding(1));
     },
     {"iqn.disk iqn.host 1"}},
};

TEST(Initiators, HaveTheirOwnCommands) {
  for (const InitiatorRow& row : kInitiatorRows) {
    Host host;
    row.traffic(host);
    EXPECT_EQ(CommandsOf(host.See()), row.commands) << row.what;
  }
}

TEST(Initiators, AddUpToTheLunsUnderAnyCap) {
  for (const InitiatorRow& row : kInitiatorRows) {
    for (const size_t cap : {size_t{0}, size_t{1}, size_t{2}, size_t{3}, size_t{10'000}}) {
      Host host({.max_label_sets = cap});
      row.traffic(host);
      const Snapshot snapshot = host.See();
      for (const uint8_t role : {kInitiator, kTarget}) {
        EXPECT_EQ(TotalOfInitiators(snapshot, role), TotalOfLuns(snapshot, role))
            << row.what << ", cap " << cap;
      }
      size_t own = 0;
      for (const auto& [key, initiator] : snapshot.initiators)
        own += key.initiator == kOverflowName ? 0 : 1;
      EXPECT_LE(own, cap) << row.what;
    }
  }
}

TEST(Initiators, ThatAreMadeUpShutNobodyOut) {
  Host host({.max_label_sets = 10});
  ReadAndWrite(host.Opens(1, kTarget).LogsIn({.initiator = "iqn.stays"}));
  for (uint64_t id = 2; id <= 500; id++)
    ReadAndWrite(host.Opens(id, kTarget).LogsIn({.initiator = fmt::format("iqn.{}", id)})).Drops();
  ReadAndWrite(host.Opens(501, kTarget).LogsIn({.initiator = "iqn.new"}));
  ReadAndWrite(host.On(1));
  const Snapshot snapshot = host.See();
  EXPECT_EQ(snapshot.initiators.at({kTarget, kDisk, "iqn.stays"}).commands, 6u);
  EXPECT_EQ(snapshot.initiators.at({kTarget, kDisk, "iqn.new"}).commands, 3u);
  EXPECT_EQ(snapshot.initiators.size(), 10u + 1);
  EXPECT_EQ(snapshot.dropped_series, 501u - 10);
  EXPECT_EQ(TotalOfInitiators(snapshot, kTarget), TotalOfLuns(snapshot, kTarget));
}

// If all have a connection, a new one has no room. It gets room by its next login.
TEST(Initiators, BeyondTheCapAreOverflow) {
  Initiators initiators(2);
  const TargetKey target = {kTarget, kDisk};
  Initiator& a = initiators.Join(target, "a");
  Initiator& b = initiators.Join(target, "b");
  Initiator& c = initiators.Join(target, "c");
  EXPECT_EQ(c.first.initiator, kOverflowName);
  EXPECT_EQ(c.first.target, kOverflowName);
  EXPECT_EQ(initiators.dropped(), 1u);
  a.second.commands = 7;
  b.second.commands = 1;
  initiators.Leave(b);
  EXPECT_EQ(&initiators.Join(target, "b"), &b) << "it is back";
  initiators.Leave(a);
  initiators.Leave(b);
  initiators.Leave(c);
  EXPECT_EQ(initiators.Join(target, "c").first.initiator, "c");
  EXPECT_EQ(initiators.all().at({kTarget, kOverflowName, kOverflowName}).commands, 7u);
  EXPECT_EQ(initiators.all().at({kTarget, kDisk, "b"}).commands, 1u);
}

// A scrape copies the table, and in its pauses initiators come and go.
TEST(Initiators, ComeAndGoDuringAScrape) {
  Model model({.max_label_sets = 20});
  Host host;
  host.HandOn([&](const lunscope_record& record) { model.Apply(record); });
  uint64_t id = 0;
  const auto come_and_go = [&] {
    ReadAndWrite(host.Opens(++id).LogsIn({.initiator = fmt::format("iqn.{}", id % 70)})).Drops();
  };
  for (int i = 0; i < 50; i++) come_and_go();
  uint64_t before = 0;
  for (int scrape = 0; scrape < 5; scrape++) {
    const Total total = TotalOfInitiators(model.TakeSnapshot(come_and_go), kInitiator);
    EXPECT_GT(total.commands, before);
    EXPECT_LE(total.commands, 3 * id);
    before = total.commands;
  }
  const Snapshot snapshot = model.TakeSnapshot();
  EXPECT_EQ(TotalOfInitiators(snapshot, kInitiator).commands, 3 * id);
  EXPECT_LE(snapshot.initiators.size(), 20u + 1);
}

// ---- guests ----

struct GuestRow {
  const char* what;
  void (*traffic)(Host&);
  std::vector<std::string> guests;  // "target initiator guest"
};

LocalProcess Qemu(const std::string& guest) { return {.comm = "qemu", .guest = guest}; }

const GuestRow kGuestRows[] = {
    {"no guest",
     [](Host& host) {
       host.Opens(1).LogsIn();
       host.Runs(1, {.comm = "iscsid"});
     },
     {}},
    {"two guests, one with two connections",
     [](Host& host) {
       for (const uint64_t id : {1, 2}) {
         host.Opens(id).LogsIn({.initiator = "iqn.a", .isid = id});
         host.Runs(id, Qemu("mail"));
       }
       host.Opens(3).LogsIn({.initiator = "iqn.b"});
       host.Runs(3, Qemu("web"));
     },
     {"iqn.disk iqn.a mail", "iqn.disk iqn.b web"}},
    {"the process is known before the names",
     [](Host& host) {
       host.Meets(1).IsFound();
       host.Runs(1, Qemu("mail"));
       host.Knows({Described(1, kDisk, kHost)});
     },
     {"iqn.disk iqn.host mail"}},
    {"the names stay unknown",
     [](Host& host) {
       host.Meets(1).IsFound();
       host.Runs(1, Qemu("mail"));
     },
     {"unknown unknown mail"}},
    {"a guest and its copy",
     [](Host& host) {
       for (const uint64_t id : {1, 2, 3}) {
         host.Opens(id).LogsIn({.isid = id});
         host.Runs(id, Qemu(id == 2 ? "copy" : "mail"));
       }
     },
     {"iqn.disk iqn.host several"}},
    {"its connection is closed",
     [](Host& host) {
       host.Opens(1).LogsIn();
       host.Runs(1, Qemu("mail"));
       host.On(1).Drops();
     },
     {}},
};

std::vector<std::string> GuestsOf(const Snapshot& snapshot) {
  std::vector<std::string> lines;
  for (const auto& [key, guest] : snapshot.guests)
    lines.push_back(fmt::format("{} {} {}", key.target, key.initiator, guest));
  return lines;
}

TEST(Guests, AreThoseOfOpenConnections) {
  for (const GuestRow& row : kGuestRows) {
    Host host;
    row.traffic(host);
    EXPECT_EQ(GuestsOf(host.See()), row.guests) << row.what;
  }
}

TEST(Guests, AreAsManyAsTheCap) {
  Host host({.max_label_sets = 1});
  for (const uint64_t id : {1, 2, 3}) {
    host.Opens(id).LogsIn({.initiator = fmt::format("iqn.{}", id)});
    host.Runs(id, Qemu(fmt::format("guest {}", id)));
  }
  EXPECT_THAT(GuestsOf(host.See()),
              ElementsAre("overflow iqn.1 guest 1", "overflow overflow several"));
  EXPECT_THAT(GuestsOf(Host().See()), IsEmpty());
}

}  // namespace
}  // namespace lunscope
