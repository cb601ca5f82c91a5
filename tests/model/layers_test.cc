// SPDX-License-Identifier: Apache-2.0
// The SCSI layers in the model: the nexus of a command, its counts, and which commands of the
// mid-layer are the same as one on the wire.
#include "tests/model/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collector/base/printable.h"
#include "collector/model/layer_join.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;
using ::testing::UnorderedElementsAre;

constexpr uint64_t kUs = 1'000;
constexpr const char* kDriver = "scsi_debug";

TargetKey Key(const std::string& name, const std::string& transport,
              uint8_t role = LUNSCOPE_ROLE_INITIATOR) {
  return {role, name, transport};
}

const LunStatistics& LunOf(const Snapshot& snapshot, const TargetKey& key, uint64_t lun = 0) {
  return snapshot.targets.at(key).luns.at(lun);
}

TEST(Layers, ADeviceIsCalledByItsPlace) {
  Host host;
  host.Apply(NexusRecord(7)
                 .Below(kDriver)
                 .OnLun(Lun(3))
                 .Identified("ACME    ", "Disk            ")
                 .record);
  const Snapshot seen = host.See();
  EXPECT_EQ(LunOf(seen, Key("7:0:0", kDriver), Lun(3)).identity.vendor, "ACME");
  EXPECT_EQ(host.model().FindNexus(LUNSCOPE_NEXUS_BIT | 7)->device, "7:0:0:3");
}

TEST(Layers, ATargetOfLioIsCalledByItsName) {
  Host host;
  host.Apply(
      NexusRecord(1, LUNSCOPE_ROLE_TARGET).Below("iSCSI").Serving("iqn.disk", "iqn.host").record);
  host.Apply(Dispatched(1, Read16(0, 8), LUNSCOPE_ROLE_TARGET).record);
  EXPECT_EQ(LunOf(host.See(), Key("iqn.disk", "iscsi", LUNSCOPE_ROLE_TARGET)).read_bytes, 4096u);
}

TEST(Layers, NamesThatFillTheirFieldsEnd) {
  Host host;
  host.Apply(NexusRecord(1, LUNSCOPE_ROLE_TARGET)
                 .Below(std::string(99, 't'))
                 .Serving(std::string(999, 'n'), "\x1b[2J")
                 .record);
  EXPECT_EQ(host.See().targets.begin()->first.name, Printable(std::string(224, 'n')));
}

TEST(Layers, WhatIsOfIscsiStaysApart) {
  Host host;
  host.Opens(1).LogsIn({.target = "2:0:0"}).Completes(Read16(0, 8));
  host.Apply(NexusRecord(2).Below(kDriver).record);
  host.Apply(Dispatched(2, Write16(0, 8)).record);
  const Snapshot seen = host.See();
  EXPECT_EQ(LunOf(seen, Key("2:0:0", "")).written_bytes, 0u);
  EXPECT_EQ(LunOf(seen, Key("2:0:0", kDriver)).written_bytes, 4096u);
  EXPECT_EQ(seen.connections.size(), 1u);
}

TEST(Layers, ErrorsRetriesAndTimeouts) {
  Host host;
  host.Apply(NexusRecord(1).Below(kDriver).record);
  host.Apply(Dispatched(1, Read16(0, 8).Sensing(0x03, 0x11, 0)).record);
  host.Apply(Dispatched(1, Read16(0, 8)).Again(2).record);
  host.Apply(Dispatched(1, Read16(0, 8)).Failing(0x07).record);
  host.Apply(Dispatched(1, Read16(0, 8)).TimingOut().record);
  const Snapshot seen = host.See();
  const LunStatistics& lun = LunOf(seen, Key("1:0:0", kDriver));
  EXPECT_EQ(lun.operations[SCSI_OPERATION_READ]->duration_ns.count(), 3u);
  EXPECT_EQ((lun.errors.at({SCSI_STATUS_CHECK_CONDITION, 0x03})), 1u);
  EXPECT_EQ(lun.host_errors.at(0x07), 1u);
  EXPECT_EQ(lun.retries, 1u);
  EXPECT_EQ(lun.timeouts, 1u);
}

TEST(Layers, WhatIsInFlightIsThatOfTheLastWalk) {
  Model model;
  const lunscope_scsi_command task = {
      .nexus = LUNSCOPE_NEXUS_BIT | 1, .start_ns = 5, .role = LUNSCOPE_ROLE_INITIATOR};
  for (const uint64_t expected : {2u, 1u, 0u}) {
    model.BeginWalk(0);
    for (uint64_t i = 0; i < expected; i++) model.ApplyInFlight(task);
    model.EndWalk();
    const Snapshot seen = model.TakeSnapshot();
    uint64_t outstanding = 0;
    for (const auto& [key, target] : seen.targets) {
      for (const auto& [number, lun] : target.luns) outstanding += lun.outstanding;
    }
    EXPECT_EQ(outstanding, expected);
  }
}

// No walk has a nexus, so a walk does not end one.
TEST(Layers, ANexusOutlivesTheWalks) {
  Host host;
  host.Apply(NexusRecord(1).Below(kDriver).record);
  for (int i = 0; i < 5; i++) host.Walks();
  host.Apply(Dispatched(1, Read16(0, 8)).record);
  EXPECT_EQ(LunOf(host.See(), Key("1:0:0", kDriver)).read_bytes, 4096u);
}

TEST(Layers, ACommandWhoseNexusWasLostIsUnknown) {
  Host host;
  host.Apply(Dispatched(9, Read16(0, 8)).record);
  EXPECT_THAT(host.Targets(), ElementsAre("initiator/unknown"));
  EXPECT_EQ(host.See().targets.begin()->first.transport, kUnknownName);
}

TEST(Layers, TheWireIsPartOfTheMidLayersTime) {
  Host host({.joins = {.midlayer = true}});
  host.NameScsiHost(1, kDisk);
  host.Apply(NexusRecord(1).Below("iscsi_tcp").record);
  host.Opens(2).LogsIn().Completes(Read16(0, 8).Taking(70 * kUs));
  const uint64_t end_ns = host.now_ns + 20 * kUs;
  const Dispatched ended = Dispatched(1, Read16(0, 8).Taking(100 * kUs)).At(end_ns);
  const std::optional<InnerPart> part = host.Apply(ended.record).on_wire;
  ASSERT_TRUE(part);
  EXPECT_EQ(part->before_ns, 10 * kUs);
  EXPECT_EQ(part->within_ns, 70 * kUs);
  EXPECT_EQ(part->behind_ns, 20 * kUs);
  host.Apply(Dispatched(1, Read16(8, 8).Taking(100 * kUs)).At(end_ns).record);
  const Snapshot seen = host.See();
  const LunStatistics& lun = LunOf(seen, Key(kDisk, "iscsi_tcp"));
  EXPECT_EQ(lun.operations[SCSI_OPERATION_READ]->above_wire_ns.sum(), 30 * kUs);
  EXPECT_EQ(lun.operations[SCSI_OPERATION_READ]->wire_ns, 70 * kUs);
  EXPECT_EQ(lun.unjoined, 1u);
}

struct BackendRow {
  const char* what;
  Command wire;  // which begins at 0
  uint64_t lio_us[2];
  std::optional<uint64_t> backend_us;
};

const BackendRow kBackends[] = {
    {"a read, whose queue is over when LIO begins",
     Read16(0, 8).Taking(100 * kUs).Spending(LUNSCOPE_PHASE_QUEUE, 16 * kUs),
     {20, 80},
     60},
    {"a write that waits for its data while LIO has it",
     Write16(0, 8)
         .Taking(100 * kUs)
         .Spending(LUNSCOPE_PHASE_QUEUE, 16 * kUs)
         .Spending(LUNSCOPE_PHASE_TRANSFER_IN, 32 * kUs),
     {16, 90},
     42},
    {"a write whose data had arrived before",
     Write16(0, 8)
         .Taking(100 * kUs)
         .Spending(LUNSCOPE_PHASE_QUEUE, 16 * kUs)
         .Spending(LUNSCOPE_PHASE_TRANSFER_IN, 32 * kUs),
     {48, 90},
     42},
    {"a header in pieces, which is before LIO",
     Read16(0, 8)
         .Taking(100 * kUs)
         .Spending(LUNSCOPE_PHASE_ARRIVAL, 32 * kUs)
         .Spending(LUNSCOPE_PHASE_QUEUE, 16 * kUs),
     {32, 90},
     42},
    {"no more than the target's own time",
     Read16(0, 8).Taking(100 * kUs).Spending(LUNSCOPE_PHASE_TRANSFER_OUT, 64 * kUs),
     {0, 90},
     36},
    {"phases that are not known", Read16(0, 8).Taking(100 * kUs), {20, 80}, {}},
    {"a command that LIO still had behind it",
     Read16(0, 8).Taking(100 * kUs).Spending(LUNSCOPE_PHASE_QUEUE, 0),
     {0, 101},
     {}},
};

TEST(Layers, TheBackendIsPartOfTheTargetsTime) {
  for (const BackendRow& row : kBackends) {
    Host host({.joins = {.target = true}});
    host.Apply(
        NexusRecord(1, LUNSCOPE_ROLE_TARGET).Below("iSCSI").Serving(kDisk, "iqn.host").record);
    host.Opens(2, LUNSCOPE_ROLE_TARGET).LogsIn();
    const uint64_t begin_ns = host.now_ns;
    Command lio = row.wire;
    lio.Taking((row.lio_us[1] - row.lio_us[0]) * kUs);
    host.Apply(Dispatched(1, lio, LUNSCOPE_ROLE_TARGET).At(begin_ns + row.lio_us[1] * kUs).record);
    lunscope_command_record wire = row.wire.record.command;
    wire.header = host.On(2).Record().header;
    wire.header.kind = LUNSCOPE_RECORD_COMMAND;
    wire.header.bytes = sizeof(wire);
    wire.header.time_ns = begin_ns + wire.duration_ns;
    EXPECT_EQ(host.Apply(wire).backend_ns,
              row.backend_us ? std::optional(*row.backend_us * kUs) : std::nullopt)
        << row.what;
  }
}

struct JoinRow {
  const char* what;
  std::vector<std::pair<Command, uint64_t>> wire;  // with the time of its end
  Command command;                                 // which ends at 1 ms
  uint64_t wire_us;                                // 0: it is not found
};

const JoinRow kJoins[] = {
    {"within", {{Read16(0, 8).Taking(50 * kUs), 990 * kUs}}, Read16(0, 8).Taking(90 * kUs), 50},
    {"as long", {{Read16(0, 8).Taking(90 * kUs), 1000 * kUs}}, Read16(0, 8).Taking(90 * kUs), 90},
    {"begun before",
     {{Read16(0, 8).Taking(90 * kUs), 990 * kUs}},
     Read16(0, 8).Taking(90 * kUs),
     0},
    {"ended after", {{Read16(0, 8).Taking(5 * kUs), 1001 * kUs}}, Read16(0, 8).Taking(90 * kUs), 0},
    {"another block",
     {{Read16(8, 8).Taking(5 * kUs), 990 * kUs}},
     Read16(0, 8).Taking(90 * kUs),
     0},
    {"another LUN",
     {{Read16(0, 8).OnLun(Lun(1)).Taking(5 * kUs), 990 * kUs}},
     Read16(0, 8).Taking(90 * kUs),
     0},
    {"the same LUN, addressed otherwise",
     {{Read16(0, 8).OnLun(0x4001ull << 48).Taking(5 * kUs), 990 * kUs}},
     Read16(0, 8).OnLun(Lun(1)).Taking(90 * kUs),
     5},
    {"of two, the tighter",
     {{Read16(0, 8).Taking(60 * kUs), 990 * kUs}, {Read16(0, 8).Taking(20 * kUs), 980 * kUs}},
     Read16(0, 8).Taking(90 * kUs),
     20},
    {"nothing", {}, Read16(0, 8).Taking(90 * kUs), 0},
};

TEST(Layers, ANameThatComesLateIsThatOfWhatComesLater) {
  Host host;
  host.Apply(NexusRecord(1).Below("iscsi_tcp").Identified("IET", "VIRTUAL-DISK").record);
  host.Apply(NexusRecord(2).Below("virtio_scsi").record);
  host.Apply(Dispatched(1, Read16(0, 8)).record);
  host.NameScsiHost(1, kDisk);
  host.NameScsiHost(1, kDisk);
  for (const uint64_t number : {1, 2}) host.Apply(Dispatched(number, Read16(0, 8)).record);
  EXPECT_THAT(host.Targets(),
              UnorderedElementsAre("initiator/1:0:0", "initiator/2:0:0", "initiator/iqn.disk"));
  const Snapshot seen = host.See();
  const LunStatistics& lun = LunOf(seen, Key(kDisk, "iscsi_tcp"));
  EXPECT_EQ(lun.operations[SCSI_OPERATION_READ]->duration_ns.count(), 1u);
  EXPECT_EQ(lun.identity.product, "VIRTUAL-DISK");
}

TEST(LayerJoin, FindsWhatLiesWithin) {
  for (const JoinRow& row : kJoins) {
    LayerJoin join;
    for (const auto& [command, end_ns] : row.wire) {
      lunscope_command_record wire = command.record.command;
      wire.header.time_ns = end_ns;
      join.Put(kDisk, wire);
    }
    lunscope_command_record command = row.command.record.command;
    command.header.time_ns = 1000 * kUs;
    EXPECT_FALSE(join.Take("iqn.other", command)) << row.what;
    EXPECT_EQ(join.Take(kDisk, command).value_or(InnerPart{}).within_ns, row.wire_us * kUs)
        << row.what;
    if (row.wire.size() == 1) {
      EXPECT_FALSE(join.Take(kDisk, command)) << row.what;
    }
  }
}

TEST(LayerJoin, ForgetsTheOldestOfTooMany) {
  LayerJoin join;
  for (uint64_t i = 0; i <= LayerJoin::kMaxWaiting; i++) {
    lunscope_command_record wire = Read16(i, 8).record.command;
    wire.header.time_ns = 1000 * kUs;
    join.Put(kDisk, wire);
  }
  lunscope_command_record first = Read16(0, 8).record.command;
  first.header.time_ns = 1000 * kUs;
  EXPECT_FALSE(join.Take(kDisk, first));
  lunscope_command_record second = Read16(1, 8).record.command;
  second.header.time_ns = 1000 * kUs;
  EXPECT_TRUE(join.Take(kDisk, second));
}

// A LUN keeps its place while one of its commands waits. After that, another LUN may take the
// place.
TEST(LayerJoin, HasPlacesForSoManyLuns) {
  LayerJoin join;
  const auto command_on = [](uint64_t lun) {
    lunscope_command_record command = Read16(0, 8).OnLun(lun << 16).record.command;
    command.header.time_ns = 1000 * kUs;
    return command;
  };
  for (uint64_t lun = 0; lun <= LayerJoin::kMaxLuns; lun++) join.Put(kDisk, command_on(lun + 1));
  const auto refused = command_on(LayerJoin::kMaxLuns + 1);
  EXPECT_FALSE(join.Take(kDisk, refused));
  EXPECT_TRUE(join.Take(kDisk, command_on(1)));
  join.Put(kDisk, refused);
  EXPECT_TRUE(join.Take(kDisk, refused));
}

}  // namespace
}  // namespace lunscope
