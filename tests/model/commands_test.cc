// SPDX-License-Identifier: Apache-2.0
// The sums of completed commands, and of the other PDUs that are counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collector/model/cdb.h"
#include "tests/model/host.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr uint8_t kRead = ISCSI_COMMAND_READ;
constexpr uint8_t kWrite = ISCSI_COMMAND_WRITE;
constexpr uint8_t kBusy = 0x08;

// REQUIRES: the host has one LUN of kDisk, as an initiator.
struct Seen {
  explicit Seen(const Host& host)
      : snapshot(host.See()),
        target(snapshot.targets.at({LUNSCOPE_ROLE_INITIATOR, kDisk})),
        lun(target.luns.begin()->second) {}
  Snapshot snapshot;
  const TargetStatistics& target;
  const LunStatistics& lun;
};

struct OperationRow {
  Command command;
  scsi_operation operation;
  uint64_t read_bytes;
  uint64_t written_bytes;
};

const OperationRow kOperations[] = {
    {Read16(0, 8), SCSI_OPERATION_READ, 4096, 0},
    {Command({SCSI_READ_6, 0, 0, 0, 1, 0}, kRead).Moving(512), SCSI_OPERATION_READ, 512, 0},
    {Write16(0, 8), SCSI_OPERATION_WRITE, 0, 4096},
    {Command({0x89}, kWrite).Moving(1024), SCSI_OPERATION_WRITE, 0, 1024},
    {Command({SCSI_WRITE_SAME_16}, kWrite).Moving(512), SCSI_OPERATION_WRITE, 0, 512},
    {Command({SCSI_SYNCHRONIZE_CACHE_10}), SCSI_OPERATION_FLUSH, 0, 0},
    {Command({SCSI_SYNCHRONIZE_CACHE_16}), SCSI_OPERATION_FLUSH, 0, 0},
    {Command({SCSI_UNMAP}, kWrite).Moving(24), SCSI_OPERATION_DISCARD, 0, 24},
    {Command(TestUnitReady()), SCSI_OPERATION_CONTROL, 0, 0},
    {Command({SCSI_INQUIRY}, kRead).Moving(36), SCSI_OPERATION_CONTROL, 36, 0},
    {Command({0xa0}, kRead).Moving(16), SCSI_OPERATION_CONTROL, 16, 0},
    {Command({0xc0}), SCSI_OPERATION_OTHER, 0, 0},
    {Command({0x2f}), SCSI_OPERATION_OTHER, 0, 0},
    {Read16(0, 8).ShortBy(4000), SCSI_OPERATION_READ, 96, 0},
};

TEST(Command, CountsByOperationAndBytes) {
  for (const OperationRow& row : kOperations) {
    Host host;
    host.Opens(1).LogsIn().Completes(row.command);
    const Seen seen(host);
    for (size_t i = 0; i < SCSI_OPERATIONS; i++) {
      const bool is_seen = seen.lun.operations[i] != nullptr;
      EXPECT_EQ(is_seen, i == row.operation) << int{row.command.record.command.cdb[0]};
      EXPECT_EQ(seen.target.sizes[i].count(), i == row.operation ? 1u : 0u);
    }
    EXPECT_EQ(seen.lun.read_bytes, row.read_bytes);
    EXPECT_EQ(seen.lun.written_bytes, row.written_bytes);
    EXPECT_THAT(seen.lun.errors, IsEmpty());
  }
}

TEST(Command, CountsThePhasesThatAreKnown) {
  Host host;
  host.Opens(1).LogsIn();
  host.On(1).Completes(Write16(0, 8).Taking(10'000));  // none is
  host.On(1).Completes(Write16(0, 8)
                           .Taking(700'000)
                           .Spending(LUNSCOPE_PHASE_SEND, 0)
                           .Spending(LUNSCOPE_PHASE_DATA_OUT, 64'000)
                           .Spending(LUNSCOPE_PHASE_PICKUP, 32'000));
  const Seen seen(host);
  EXPECT_FALSE(seen.target.phases[SCSI_OPERATION_READ]);
  ASSERT_TRUE(seen.target.phases[SCSI_OPERATION_WRITE]);
  const PhaseStatistics& phases = *seen.target.phases[SCSI_OPERATION_WRITE];
  const auto of = [&](lunscope_phase phase) { return phases[phase % LUNSCOPE_PHASE_SLOTS]; };
  EXPECT_EQ(of(LUNSCOPE_PHASE_SEND).count(), 1u);
  EXPECT_EQ(of(LUNSCOPE_PHASE_DATA_OUT).sum(), 64'000u);
  EXPECT_EQ(of(LUNSCOPE_PHASE_PICKUP).sum(), 32'000u);
  EXPECT_EQ(of(LUNSCOPE_PHASE_WAIT).sum(), 636'000u);
  EXPECT_EQ(of(LUNSCOPE_PHASE_TRANSFER).count(), 0u);
}

// The same commands, one by one in records and added up in the kernel.
struct BothWays {
  BothWays() {
    table->header.connection = 1;
    table->header.abi = LUNSCOPE_ABI;
    table->header.kind = LUNSCOPE_RECORD_AGGREGATES;
    table->header.role = LUNSCOPE_ROLE_INITIATOR;
    recorded.Opens(1).LogsIn();
    aggregated.Opens(1).LogsIn();
  }
  void Complete(const Command& command) {
    const lunscope_command_record& record = command.record.command;
    recorded.On(1).Completes(command);
    lunscope_command in_flight{};
    in_flight.lun = record.lun;
    in_flight.cdb[0] = record.cdb[0];
    in_flight.flags = record.command_flags;
    in_flight.data_bytes = record.read_bytes + record.written_bytes;
    lunscope_split_times split{.known = record.known_phases, .units = {}};
    for (uint32_t slot = 0; slot < LUNSCOPE_PHASE_SLOTS; slot++) {
      if ((record.known_phases >> slot & 1) != 0)
        split.units[slot] =
            static_cast<uint32_t>(lunscope_phase_ns(&record, slot) >> LUNSCOPE_PHASE_SHIFT);
    }
    ASSERT_TRUE(
        lunscope_aggregate_add(table.get(), &in_flight, &split, record.duration_ns, ~uint64_t{0}));
  }
  void Report() {
    table->header.bytes = lunscope_aggregates_bytes(table.get());
    aggregated.Apply(*table);
  }

  Host recorded;
  Host aggregated;
  std::unique_ptr<lunscope_aggregates_record> table =
      std::make_unique<lunscope_aggregates_record>();
};

void ExpectTheSame(const Host& one, const Host& other) {
  const Seen left(one);
  const Seen right(other);
  for (size_t i = 0; i < SCSI_OPERATIONS; i++) {
    EXPECT_EQ(left.target.sizes[i].counts(), right.target.sizes[i].counts());
    EXPECT_EQ(left.target.sizes[i].sum(), right.target.sizes[i].sum());
    ASSERT_EQ(left.target.phases[i] == nullptr, right.target.phases[i] == nullptr);
    for (uint32_t slot = 0; left.target.phases[i] && slot < LUNSCOPE_PHASE_SLOTS; slot++) {
      const LatencyHistogram& phase = (*left.target.phases[i])[slot];
      EXPECT_EQ(phase.counts(), (*right.target.phases[i])[slot].counts());
      EXPECT_EQ(phase.sum(), (*right.target.phases[i])[slot].sum());
    }
    ASSERT_EQ(left.lun.operations[i] == nullptr, right.lun.operations[i] == nullptr);
    if (!left.lun.operations[i]) continue;
    const LatencyHistogram& durations = left.lun.operations[i]->duration_ns;
    EXPECT_EQ(durations.counts(), right.lun.operations[i]->duration_ns.counts());
    EXPECT_EQ(durations.sum(), right.lun.operations[i]->duration_ns.sum());
  }
  EXPECT_EQ(left.lun.read_bytes, right.lun.read_bytes);
  EXPECT_EQ(left.lun.written_bytes, right.lun.written_bytes);
  const InitiatorKey host = {LUNSCOPE_ROLE_INITIATOR, kDisk, kHost};
  const InitiatorCounters& recorded = left.snapshot.initiators.at(host);
  const InitiatorCounters& added_up = right.snapshot.initiators.at(host);
  EXPECT_EQ(recorded.commands, added_up.commands);
  EXPECT_EQ(recorded.duration_ns, added_up.duration_ns);
  EXPECT_EQ(recorded.read_bytes, added_up.read_bytes);
  EXPECT_EQ(recorded.written_bytes, added_up.written_bytes);
}

TEST(Command, AddedUpInTheKernelCountsAsItsRecordWould) {
  BothWays ways;
  for (int round = 0; round < 3; round++) {
    for (const OperationRow& row : kOperations) ways.Complete(row.command);
    ways.Complete(Command(Read16(0, 1)).Taking(5'000'000'000));
    ways.Complete(Command(Write16(0, 1))
                      .Taking(5'000'001)
                      .Spending(LUNSCOPE_PHASE_DATA_OUT, 64'000)
                      .Spending(LUNSCOPE_PHASE_PICKUP, 32'000));
    ways.Report();
    ExpectTheSame(ways.recorded, ways.aggregated);
  }
  ways.Report();  // with nothing new
  ExpectTheSame(ways.recorded, ways.aggregated);
}

TEST(Command, DurationAndSizeAreSummed) {
  Host host;
  host.Opens(1)
      .LogsIn()
      .Completes(Read16(0, 1).Taking(16'000))
      .Completes(Read16(1, 1).Taking(16'001))
      .Completes(Read16(2, 3).Taking(5'000'000'000));
  const Seen seen(host);
  const LatencyHistogram& duration = seen.lun.operations[SCSI_OPERATION_READ]->duration_ns;
  EXPECT_EQ(duration.count(), 3u);
  EXPECT_EQ(duration.sum(), 5'000'032'001u);
  EXPECT_EQ(duration.counts()[0], 1u);
  EXPECT_EQ(duration.counts()[1], 1u);
  EXPECT_EQ(seen.target.sizes[SCSI_OPERATION_READ].sum(), 2560u);
  EXPECT_EQ(seen.lun.read_bytes, 2560u);
}

// ---- what an AHS says ----

// The header of a SCSI Command with this AHS.
lunscope_header_record HeaderOf(uint32_t itt, std::vector<uint8_t> ahs, bool is_spoiled = false) {
  lunscope_header_record record{};
  record.header = {.connection = 1,
                   .time_ns = 1,
                   .bytes = sizeof(record),
                   .abi = LUNSCOPE_ABI,
                   .kind = LUNSCOPE_RECORD_HEADER,
                   .role = LUNSCOPE_ROLE_INITIATOR,
                   .flags = 0};
  const uint8_t bhs[ISCSI_BHS_BYTES] = {
      ISCSI_SCSI_COMMAND, 0xc0, 0, 0, static_cast<uint8_t>(ahs.size() / 4), 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, static_cast<uint8_t>(itt), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      // READ(32), the first 16 bytes of its CDB
      SCSI_VARIABLE_LENGTH, 0, 0, 0, 0, 0, 0, 24, 0, 0x09, 0, 0, 0, 0, 0, 0};
  std::copy(std::begin(bhs), std::end(bhs), record.bhs);
  std::copy(ahs.begin(), ahs.end(), record.ahs);
  record.ahs_bytes = static_cast<uint16_t>(ahs.size());
  record.has_wrong_digest = is_spoiled ? 1 : 0;
  return record;
}

// The rest of the CDB: LBA 3, 8 blocks.
const std::vector<uint8_t> kRestOfCdb = {0, 17, 1, 0, 0, 0, 0, 3, 0, 0,
                                         0, 0,  0, 0, 0, 0, 0, 0, 0, 8};
const std::vector<uint8_t> kReadLength = {0, 5, 2, 0, 0, 0, 2, 0};

Applied CompletesRead32(Host& host, uint32_t itt) {
  Command command({SCSI_VARIABLE_LENGTH, 0, 0, 0, 0, 0, 0, 24, 0, 0x09}, ISCSI_COMMAND_READ);
  command.Tagged(itt, 1);
  command.record.command.header = {.connection = 1,
                                   .time_ns = 2,
                                   .bytes = sizeof(lunscope_command_record),
                                   .abi = LUNSCOPE_ABI,
                                   .kind = LUNSCOPE_RECORD_COMMAND,
                                   .role = LUNSCOPE_ROLE_INITIATOR,
                                   .flags = 0};
  return host.Apply(command.record.command);
}

TEST(Extension, IsTheRestOfTheCdb) {
  Host host;
  host.Opens(1).LogsIn();
  host.Apply(HeaderOf(7, kRestOfCdb));
  EXPECT_EQ(CompletesRead32(host, 8).extension, nullptr);
  const Applied applied = CompletesRead32(host, 7);
  ASSERT_NE(applied.extension, nullptr);
  ASSERT_EQ(applied.extension->cdb.size(), 32u);
  EXPECT_EQ(LbaOf(applied.extension->cdb, 0), 3u);
  EXPECT_EQ(BlocksOf(applied.extension->cdb, 0), 8u);
  EXPECT_EQ(applied.operation, SCSI_OPERATION_READ);
  // It was of that command alone.
  EXPECT_EQ(CompletesRead32(host, 7).extension, nullptr);
}

TEST(Extension, IsTheExpectedLengthOfABidirectionalRead) {
  Host host;
  host.Opens(1).LogsIn();
  host.Apply(HeaderOf(7, kReadLength));
  const Applied applied = CompletesRead32(host, 7);
  ASSERT_NE(applied.extension, nullptr);
  EXPECT_EQ(applied.extension->expected_read_bytes, 512u);
  EXPECT_TRUE(applied.extension->cdb.empty());
}

TEST(Extension, OfASpoiledHeaderIsNotBelieved) {
  Host host;
  host.Opens(1).LogsIn();
  host.Apply(HeaderOf(7, kRestOfCdb, true));
  EXPECT_EQ(CompletesRead32(host, 7).extension, nullptr);
}

// Commands that never end leave theirs behind. Their number has a limit.
TEST(Extension, OfCommandsThatNeverEndAreBounded) {
  Host host;
  host.Opens(1).LogsIn();
  for (uint32_t itt = 0; itt < 2 * LUNSCOPE_TRACKED_COMMANDS; itt++) {
    lunscope_header_record record = HeaderOf(0, kRestOfCdb);
    record.bhs[18] = static_cast<uint8_t>(itt >> 8);
    record.bhs[19] = static_cast<uint8_t>(itt);
    host.Apply(record);
  }
  EXPECT_EQ(host.model().FindConnection(1)->extensions.size(), LUNSCOPE_TRACKED_COMMANDS);
}

TEST(Command, BytesOfABidirectionalCommandAreCountedEachWay) {
  Host host;
  Command command({0x53}, ISCSI_COMMAND_READ | ISCSI_COMMAND_WRITE);
  command.record.command.read_bytes = 100;
  command.record.command.written_bytes = 512;
  host.Opens(1).LogsIn().Completes(command);
  const Seen seen(host);
  EXPECT_EQ(seen.lun.read_bytes, 100u);
  EXPECT_EQ(seen.lun.written_bytes, 512u);
}

using Errors = decltype(LunStatistics::errors);

struct ErrorRow {
  const char* what;
  Command command;
  Errors errors;  // by status and sense key
  uint64_t target_failures;
};

const ErrorRow kErrors[] = {
    {"GOOD", Read16(0, 1), {}, 0},
    {"fixed format", Read16(0, 1).Sensing(0x05, 0x21, 0x00), {{{2, 5}, 1}}, 0},
    {"fixed format, deferred", Read16(0, 1).Sensing({0x71, 0, 0x03}), {{{2, 3}, 1}}, 0},
    {"descriptor format", Read16(0, 1).Sensing({0x72, 0x06, 0x29, 0x00}), {{{2, 6}, 1}}, 0},
    {"flags beside the sense key", Read16(0, 1).Sensing({0x70, 0, 0xe5}), {{{2, 5}, 1}}, 0},
    {"sense that is too short", Read16(0, 1).Sensing({0x70, 0}), {{{2, std::nullopt}, 1}}, 0},
    {"sense of an unknown format",
     Read16(0, 1).Sensing({0x7f, 5, 5, 5}),
     {{{2, std::nullopt}, 1}},
     0},
    {"no sense", Read16(0, 1).Ending(SCSI_STATUS_CHECK_CONDITION), {{{2, std::nullopt}, 1}}, 0},
    {"descriptor format, two bytes", Read16(0, 1).Sensing({0x72, 0x05}), {{{2, 5}, 1}}, 0},
    {"NO SENSE that was said", Read16(0, 1).Sensing({0x70, 0, 0}), {{{2, 0}, 1}}, 0},
    {"CONDITION MET", Read16(0, 1).Ending(SCSI_STATUS_CONDITION_MET), {}, 0},
    {"INTERMEDIATE", Read16(0, 1).Ending(SCSI_STATUS_INTERMEDIATE), {}, 0},
    {"BUSY with sense",
     Read16(0, 1).Sensing(0x05, 0x21, 0x00).Ending(kBusy),
     {{{8, std::nullopt}, 1}},
     0},
    {"BUSY", Read16(0, 1).Ending(kBusy), {{{8, std::nullopt}, 1}}, 0},
    {"a status of the future", Read16(0, 1).Ending(0xee), {{{0xee, std::nullopt}, 1}}, 0},
    {"target failure", Read16(0, 1).Responding(1), {}, 1},
    // The status has a meaning only if the response is "command completed" (RFC 7143 11.4.2).
    {"target failure with a status", Read16(0, 1).Responding(1).Ending(kBusy), {}, 1},
    {"a response of the vendor", Read16(0, 1).Responding(0x80), {}, 1},
};

TEST(Command, ErrorsAreCountedByStatusAndSenseKey) {
  for (const ErrorRow& row : kErrors) {
    Host host;
    host.Opens(1).LogsIn().Completes(row.command);
    const Seen seen(host);
    EXPECT_EQ(seen.lun.errors, row.errors) << row.what;
    EXPECT_EQ(seen.lun.target_failures, row.target_failures) << row.what;
    // A command that failed is counted as a command.
    EXPECT_EQ(seen.lun.operations[SCSI_OPERATION_READ]->duration_ns.count(), 1u) << row.what;
  }
}

TEST(Command, GoesToItsLun) {
  Host host;
  host.Opens(1).LogsIn();
  for (uint8_t number : {1, 2, 1, 1, 3}) host.On(1).Completes(Read16(0, 1).OnLun(Lun(number)));
  const Seen seen(host);
  std::map<uint64_t, uint64_t> bytes;
  for (const auto& [number, lun] : seen.target.luns) bytes[number] = lun.read_bytes;
  EXPECT_THAT(bytes, ElementsAre(Pair(Lun(1), 1536u), Pair(Lun(2), 512u), Pair(Lun(3), 512u)));
}

// The model remembers the last LUN of a connection. A login to another target must not use it.
TEST(Command, GoesToTheLunOfTheTargetThatIsLoggedInTo) {
  Host host;
  host.Opens(1).Completes(Read16(0, 1)).LogsIn().Completes(Read16(0, 2));
  const Snapshot snapshot = host.See();
  const auto bytes_of = [&](const char* target) {
    return snapshot.targets.at({LUNSCOPE_ROLE_INITIATOR, target}).luns.at(0).read_bytes;
  };
  EXPECT_EQ(bytes_of(kUnknownName), 512u);
  EXPECT_EQ(bytes_of(kDisk), 1024u);
}

TEST(Command, OfTwoConnectionsToOneTargetIsSummed) {
  Host host;
  host.Opens(1).LogsIn({.isid = 1}).Completes(Read16(0, 1));
  host.Opens(2).LogsIn({.isid = 2}).Completes(Read16(0, 1));
  EXPECT_EQ(Seen(host).lun.read_bytes, 1024u);
}

TEST(Command, OfAConnectionWithoutALoginGoesToUnknown) {
  Host host;
  host.Meets(1).Completes(Read16(0, 1));
  host.Walks();
  EXPECT_THAT(host.Targets(), ElementsAre("initiator/unknown"));
  EXPECT_THAT(host.Sessions(), IsEmpty());
  const Connection& connection = *host.model().FindConnection(1);
  EXPECT_EQ(connection.initiator, "");
  EXPECT_EQ(connection.local, "192.0.2.1:40001");
  EXPECT_EQ(connection.remote, "192.0.2.2:3260");
}

// A snapshot is a value, so later records do not change it.
TEST(Command, AfterASnapshotIsNotInIt) {
  Host host;
  host.Opens(1).LogsIn().Completes(Read16(0, 1));
  const Seen seen(host);
  host.On(1).Completes(Read16(0, 1));
  EXPECT_EQ(seen.lun.read_bytes, 512u);
  EXPECT_EQ(seen.lun.operations[SCSI_OPERATION_READ]->duration_ns.count(), 1u);
}

TEST(Management, IsCountedByCode) {
  Host host;
  host.Opens(1)
      .LogsIn()
      .RequestsTask(1)
      .RequestsTask(5)
      .RequestsTask(5)
      .Rejects(0x04)
      .Rejects(0x09)
      .Announces(1)
      .Announces(255);
  const Snapshot snapshot = host.See();
  const TargetStatistics& target = snapshot.targets.at({LUNSCOPE_ROLE_INITIATOR, kDisk});
  EXPECT_THAT(target.task_functions, ElementsAre(Pair(1, 1u), Pair(5, 2u)));
  EXPECT_THAT(target.rejects, ElementsAre(Pair(4, 1u), Pair(9, 1u)));
  EXPECT_THAT(target.async_events, ElementsAre(Pair(1, 1u), Pair(255, 1u)));
}

}  // namespace
}  // namespace lunscope
