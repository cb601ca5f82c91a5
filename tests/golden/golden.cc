// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/golden.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/model/layers.h"

namespace lunscope {
namespace {

using std::string_literals::operator""s;
using Bytes = std::vector<uint8_t>;

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint8_t kBusy = 0x08;
constexpr uint8_t kReservationConflict = 0x18;
constexpr int kDiskType = 0x00;
constexpr int kTapeType = 0x01;
// 2026-01-31T12:00:00Z, less one second, because the host's clock begins at one second.
constexpr int64_t kWallClockOffsetNs = 1'769'860'799'000'000'000;

Bytes InquiryData() {
  const std::string text = "\0\0\0\0\0\0\0\0ACME    Disk \"9000\" \\s1 "s;
  return {text.begin(), text.end()};
}

void InitiatorScene(Host& host) {
  const Bytes inquiry = {SCSI_INQUIRY, 0, 0, 0, 36, 0};
  const Bytes read_capacity = {SCSI_READ_CAPACITY_10, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  Conversation& disk = host.Opens(1).LogsIn().UsesDigests();
  disk.Reads(inquiry, InquiryData(), Lun(1))
      .Reads(read_capacity, {0x00, 0x0f, 0xff, 0xff, 0, 0, 2, 0}, Lun(1))
      .Reads({SCSI_SERVICE_ACTION_IN_16, 0x10},
             {0, 0, 0, 0, 0, 0x0f, 0xff, 0xff, 0, 0, 2, 0, 0, 0, 0x80}, Lun(1))
      .Reads({SCSI_MODE_SENSE_6}, {3, 0, 0x80, 0}, Lun(1))
      .Reads({SCSI_INQUIRY, 1, 0x80}, {0, 0x80, 0, 4, 'S', 'N', '"', '1'}, Lun(1))
      .Reads({SCSI_INQUIRY, 1, 0x83}, {0, 0x83, 0, 8, 1, 3, 0, 4, 0x60, 0x01, 0x40, 0x50}, Lun(1))
      .Completes(Command(inquiry, ISCSI_COMMAND_READ).OnLun(Lun(1)).Moving(36).Taking(90'000))
      .Completes(Read16(0, 8).OnLun(Lun(1)).Taking(16'000))
      .Completes(Read16(8, 8).OnLun(Lun(1)).Taking(16'001))
      .Completes(Read16(16, 2048).OnLun(Lun(1)).Taking(3 * kMs))
      .Completes(Write16(0, 128)
                     .OnLun(Lun(1))
                     .Taking(700'000)
                     .Spending(LUNSCOPE_PHASE_SEND, 0)
                     .Spending(LUNSCOPE_PHASE_DATA_OUT, 64'000)
                     .Spending(LUNSCOPE_PHASE_TRANSFER, 12'800)
                     .Spending(LUNSCOPE_PHASE_PICKUP, 32'000))
      .Completes(Write16(128, 128).OnLun(Lun(1)).Taking(40 * kSecond).Sensing(0x03, 0x0c, 0x00))
      .Completes(Command({SCSI_SYNCHRONIZE_CACHE_10}).OnLun(Lun(1)).Taking(12 * kMs))
      .Completes(Command({SCSI_UNMAP}, ISCSI_COMMAND_WRITE).OnLun(Lun(1)).Moving(24).Taking(kMs))
      .Completes(Command({0xc0}).OnLun(Lun(2)).Taking(1).Sensing(0x05, 0x20, 0x00))
      .Completes(Command(TestUnitReady()).OnLun(Lun(2)).Taking(50'000).Ending(kBusy))
      .Completes(Command(TestUnitReady()).OnLun(Lun(2)).Taking(50'000).Ending(kReservationConflict))
      .Completes(Command(TestUnitReady()).OnLun(0xc101'0000'0000'0000).Responding(1))
      .Completes(Command(TestUnitReady()).OnLun(Lun(2)).Unanswered(LUNSCOPE_UNREPORTED_GAP))
      .Completes(Command(TestUnitReady())
                     .OnLun(Lun(2))
                     .Unanswered(LUNSCOPE_UNREPORTED_ABORTED, ISCSI_TASK_LUN_RESET))
      .RequestsTask(1)
      .RequestsTask(5)
      .Rejects(0x09)
      .Announces(1)
      .Counts(LUNSCOPE_RECEIVED, ISCSI_R2T, 2, 96)
      .PingsFor(kMs)
      .Retransmits(3)
      .Waits({.unacknowledged_ns = 3 * kMs,
              .unacknowledged_bytes = 8192,
              .unsent_bytes = 512,
              .smoothed_rtt_us = 250})
      .Takes(32, 3)
      .OwesAcknowledgements(4)
      .LosesRecords(LUNSCOPE_RECEIVED, LUNSCOPE_LOSS_RATE, 12)
      .Leaves(48)
      .Holds({{Lun(1), host.now_ns}, {Lun(1), host.now_ns + kSecond}});
  // Hostile names in a session that goes down, a session that logs out, and a login that fails.
  host.Opens(2)
      .LogsIn({.initiator = "iqn.\x1b[2J", .target = "iqn.\"quoted\"\n\\", .isid = 2})
      .Completes(Read16(0, 1).Taking(kMs));
  host.Opens(3).LogsIn({.target = "", .isid = 3}).LogsOut().Closes();
  host.Opens(4).RequestsLogin(LoginText({.target = "iqn.closed"})).AnswersLogin(2);
}

void TargetScene(Host& host) {
  host.Opens(5, LUNSCOPE_ROLE_TARGET)
      .LogsIn({.isid = 5, .tsih = 9})
      .Completes(Read16(0, 8).OnLun(Lun(1)).Taking(15'000))
      .Completes(Write16(0, 8)
                     .OnLun(Lun(1))
                     .Taking(80'000)
                     .Spending(LUNSCOPE_PHASE_ARRIVAL, 0)
                     .Spending(LUNSCOPE_PHASE_QUEUE, 6'400)
                     .Spending(LUNSCOPE_PHASE_TRANSFER_IN, 12'800)
                     .Spending(LUNSCOPE_PHASE_TRANSFER_OUT, 0));
  // Open before lunscope started; this host knows its names.
  host.Knows({{LUNSCOPE_ROLE_TARGET, "iqn.told", kHost, {{}}, {"192.0.2.2", 40007}, "tgtadm"}});
  host.Meets(7, LUNSCOPE_ROLE_TARGET).Sees(8192, 262144, 4096, 65536).IsFound();
  // Open before lunscope started, and its names stay unknown.
  host.Meets(6, LUNSCOPE_ROLE_TARGET).IsIpv6().Completes(Read16(0, 8).Taking(20'000));
  // Before, an idle target would make room for these.
  for (const uint64_t id : {2, 4}) host.On(id).Drops();
}

// A session with two connections and parameters other than the default ones, a session that is
// down, a discovery session and a redirection.
void SessionScene(Host& host) {
  const std::string keys =
      "HeaderDigest=CRC32C,None\0MaxRecvDataSegmentLength=262144\0MaxBurstLength=1048576\0"
      "InitialR2T=No\0MaxConnections=4\0InitiatorAlias=\"a\"\0"s;
  const std::string answer =
      "HeaderDigest=CRC32C\0MaxRecvDataSegmentLength=65536\0MaxBurstLength=524288\0"
      "InitialR2T=No\0MaxConnections=2\0TargetPortalGroupTag=1\0TargetAlias=\x1b[2J\0"s;
  host.Opens(11).LogsIn({.keys = keys, .answer = answer});
  host.Opens(12)
      .Joining(1, 1)
      .LogsIn()
      .LosesRecords(LUNSCOPE_SENT, LUNSCOPE_LOSS_RATE, 4)
      .LosesRecords(LUNSCOPE_RECEIVED, LUNSCOPE_LOSS_FULL, 3)
      .Waits({.unacknowledged_ns = 1'500'000, .unsent_bytes = 4096, .smoothed_rtt_us = 180})
      .Takes(0)
      .OwesAcknowledgements(2)
      .IsFound();
  host.Opens(13).LogsIn({.target = "iqn.down", .isid = 2}).Ends(LUNSCOPE_END_RESET_BY_PEER);
  host.Opens(14)
      .LogsIn({.target = ""})
      .Asks("SendTargets=All\0"s)
      .Answers("TargetName=iqn.disk\0TargetAddress=192.0.2.2:3260,1\0TargetName=iqn.\"\0"s);
  host.Opens(15)
      .RequestsLogin(LoginText({.target = "iqn.moved"}))
      .AnswersLogin(1, 0, 0, "TargetAddress=192.0.2.9:3261\0"s, 2)
      .Drops();
}

// A path of a multipath map, a disk with hostile mounts, and a file that LIO serves.
void LocalLunScene(Host& host) {
  const auto session = [](uint8_t role, const SocketAddress& initiator, LocalLuns luns) {
    HostSession found{role, kDisk, kHost, {{"", ISCSI_DEFAULT_PORT}}, initiator, "sysfs"};
    found.luns = std::move(luns);
    return found;
  };
  host.HasLuns({session(LUNSCOPE_ROLE_INITIATOR, {"", 40001},
                        {{Lun(1), {"sdb", "mpatha", {"/srv/mail", "/var/spool/mail"}, 0}},
                         {Lun(2), {"sdc", "", {"/a,b\n\x1b[2J"}, 3}}}),
                session(LUNSCOPE_ROLE_TARGET, {}, {{Lun(1), {"/srv/disk \"1\".img", "", {}, 0}}})});
}

// A disk below a driver, one below the kernel's iSCSI initiator, and a LUN that LIO serves.
void LayersScene(Host& host) {
  host.Apply(NexusRecord(3).Below("scsi_debug").Identified("Linux   ", "scsi_debug      ").record);
  host.Apply(Dispatched(3, Read16(0, 8).Taking(90'000)).record);
  host.Apply(Dispatched(3, Read16(0, 8).Taking(90'000)).Again(1).Failing(0x07).record);
  host.Apply(Dispatched(3, Write16(0, 8).Taking(kSecond).Sensing(0x03, 0x0c, 0)).record);
  host.Apply(Dispatched(3, Read16(0, 8).Taking(30 * kSecond)).TimingOut().record);
  host.NameScsiHost(4, kDisk);
  host.Apply(NexusRecord(4).Below("iscsi_tcp").OnLun(Lun(1)).record);
  host.Opens(1).LogsIn().Completes(Read16(0, 8).OnLun(Lun(1)).Taking(70'000));
  host.Apply(
      Dispatched(4, Read16(0, 8).OnLun(Lun(1)).Taking(100'000)).At(host.now_ns + 20'000).record);
  host.Apply(
      NexusRecord(5, LUNSCOPE_ROLE_TARGET).Below("loopback").Serving("naa.1", "naa.2").record);
  host.Apply(Dispatched(5, Read16(0, 8).Taking(80'000), LUNSCOPE_ROLE_TARGET).record);
}

LayersObservation ObserveLayers() {
  LayersObservation layers{{}, 2, true, true, true};
  for (const uint32_t role : {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_ROLE_TARGET}) {
    layers.totals.commands_reported[role] = 40 * role;
    layers.totals.commands_seen[role] = 40 * role;
    for (uint32_t i = 0; i < LUNSCOPE_SCSI_UNREPORTED_COUNT; i++) {
      layers.totals.commands_unreported[role][i] = 10 * role + i;
      layers.totals.commands_seen[role] += 10 * role + i;
    }
  }
  for (uint32_t i = 0; i < LUNSCOPE_SCSI_REFUSAL_COUNT; i++) layers.totals.refusals[i] = i;
  layers.totals.records = 4321;
  return layers;
}

void Count(lunscope_totals& totals) {
  for (uint32_t role : {LUNSCOPE_ROLE_INITIATOR, LUNSCOPE_ROLE_TARGET}) {
    totals.commands_reported[role] = 80 * role;
    totals.commands_in_flight[role] = role == LUNSCOPE_ROLE_INITIATOR ? 2 : 0;
    totals.commands_seen[role] = 80 * role + totals.commands_in_flight[role];
    for (uint32_t i = 0; i < LUNSCOPE_UNREPORTED_COUNT; i++) {
      totals.commands_unreported[role][i] = 10 * role + i;
      totals.commands_seen[role] += 10 * role + i;
    }
  }
  for (uint32_t i = 0; i < LUNSCOPE_REASON_COUNT; i++) {
    totals.gaps[i] = i;
    totals.resyncs[i] = 10 + i;
    totals.unparsed_bytes[i] = 1000 + i;
  }
  totals.records = 123'456'789;
  for (uint32_t i = 0; i < LUNSCOPE_LOSS_COUNT; i++) totals.records_lost[i] = 20 + i;
  totals.untracked_connections = 1;
  totals.healed_bytes = 2'920;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

void ExpectGolden(const std::string& name, const std::string& text) {
  const std::string path = std::string(LUNSCOPE_GOLDEN_DIRECTORY) + "/" + name;
  if (std::getenv("LUNSCOPE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    ADD_FAILURE() << "wrote " << path << "; read `git diff`, then unset LUNSCOPE_UPDATE_GOLDEN";
    return;
  }
  EXPECT_EQ(text, ReadFile(path))
      << "if the change is intended: LUNSCOPE_UPDATE_GOLDEN=1 ctest -R golden";
}

Observation FixedObservation() {
  Host host({.max_label_sets = 24, .profiles = true});  // a few less than the scenes need
  InitiatorScene(host);
  TargetScene(host);
  host.Runs(1, {.comm = "qemu-system-x86", .guest = "mail \"1\""});
  LocalLunScene(host);
  host.Walks();
  Observation observation;
  observation.snapshot = host.See();
  Count(observation.totals);
  Host layers({.joins = {.midlayer = true, .target = true}});
  LayersScene(layers);
  observation.layers = ObserveLayers();
  for (auto& [key, target] : layers.See().targets) {
    if (!key.transport.empty()) observation.snapshot.targets.emplace(key, target);
  }
  observation.probes = {{"tcp_probe", true, 1, 1000, 2'500'000}, {"net_dev_queue", false, 0, 0, 0}};
  observation.now_ns = host.now_ns + 10 * kSecond;
  observation.malformed_records = 1;
  observation.waiting_records = 3;
  observation.wakeups = 4;
  observation.cut_clients = 5;
  observation.refused_requests = {6, 7, 8, 9, 10};
  std::ranges::generate(observation.events.met[LUNSCOPE_ROLE_INITIATOR],
                        [n = 11]() mutable { return n++; });
  observation.events.dropped = 30;
  observation.events.unsaid = 31;
  observation.findings.holds = {
      {{"slow-backend", "warning", LUNSCOPE_ROLE_TARGET, "iqn.disk", Lun(1), "iqn.host",
        "192.0.2.7"},
       true},
      {{"portal-refused", "critical", LUNSCOPE_ROLE_INITIATOR, "", {}, "", "192.0.2.1:3260"},
       false}};
  observation.findings.begun = {{"portal-refused", 32}, {"slow-backend", 0}};
  observation.snapshot.tracked_commands = 2;
  observation.tracked_commands_limit = 256;
  observation.connection_memory = 48 << 10;
  observation.connection_memory_limit = 256 << 20;
  observation.version = "1.2.3";
  observation.revision = "0123456789ab";
  observation.libbpf = "v1.1";
  observation.scrape_seconds = 0.00125;
  return observation;
}

FixedSessions::FixedSessions() {
  InitiatorScene(host_);
  TargetScene(host_);
  SessionScene(host_);
  LocalLunScene(host_);
}

int64_t FixedSessions::wall_clock_offset_ns() { return kWallClockOffsetNs; }

FixedTrace::FixedTrace() {
  host_.Opens(1).LogsIn({.target = "iqn.2026-01.com.example:storage.disk1"});
  host_.Opens(2, LUNSCOPE_ROLE_TARGET)
      .LogsIn({.initiator = "iqn.\x1b[2J\"'", .target = "iqn.\n\"\\\xff"});
  host_.Meets(3).IsIpv6().Opens();
  host_.Knows(
      {{LUNSCOPE_ROLE_INITIATOR, "iqn.2026-01.com.example:told", kHost, {{}}, {}, "sysfs"}});
  host_.Meets(4).IsFound();
  struct Seen {
    uint64_t connection;
    Command command;
    int device_type;
  };
  const Seen seen[] = {
      {1, Read16(1000, 8).OnLun(Lun(1)).Taking(87'100).Tagged(0x10, 7), kDiskType},
      {1, Write16(0x12345678, 256).Taking(1'200'000).Tagged(0x11, 8), kDiskType},
      {1, Command({SCSI_READ_6, 0x01, 0x02, 0x03, 0, 0}, ISCSI_COMMAND_READ).Moving(131072), 0},
      {1, Command({SCSI_READ_10, 0, 0, 0, 0, 9, 0, 0, 1, 0}, ISCSI_COMMAND_READ).Moving(512),
       kUnknownDeviceType},
      {1, Read16(5, 8).Taking(3'400'000'000).ShortBy(4000), kDiskType},
      {1, Read16(5, 1).LongBy(512), kDiskType},
      {1, Read16(1 << 20, 1).Taking(250'000).Sensing(0x05, 0x21, 0x00), kDiskType},
      {1, Command(TestUnitReady()).Taking(50'000).Ending(kBusy), kDiskType},
      {1, Command(TestUnitReady()).Taking(50'000).Ending(kReservationConflict), kDiskType},
      {1, Command(TestUnitReady()).Taking(50'000).Responding(1), kDiskType},
      {1, Command(TestUnitReady()).Taking(50'000).Responding(0x80), kDiskType},
      {1, Command(TestUnitReady()).Taking(50'000).Unanswered(LUNSCOPE_UNREPORTED_CONNECTION_CLOSED),
       kDiskType},
      {1, Command(TestUnitReady()).Taking(50'000).Unanswered(LUNSCOPE_UNREPORTED_REJECTED, 0x04),
       kDiskType},
      {1, Command({SCSI_INQUIRY, 0, 0, 0, 36, 0}, ISCSI_COMMAND_READ).Moving(36), kDiskType},
      {1, Command({SCSI_SERVICE_ACTION_IN_16, 0x10}, ISCSI_COMMAND_READ).Moving(32), kDiskType},
      {1, Command({0xa3, 0x0c}, ISCSI_COMMAND_READ).Moving(64), kDiskType},
      {1, Command({0x9e, 0x0b}), kDiskType},
      // A tape has no LBA where a disk has one.
      {2, Command({0x08, 0, 0, 2, 0, 0}, ISCSI_COMMAND_READ).Moving(512).OnLun(Lun(1)), kTapeType},
      {2, Read16(1, 1).OnLun(0x4100'0000'0000'0000), kDiskType},
      {3, Read16(1, 1).OnLun(Lun(7)), kUnknownDeviceType},
      {4, Read16(1, 1).OnLun(Lun(7)), kDiskType},
  };
  records_.reserve(std::size(seen));  // commands_ refers to the records, so they must not move
  for (const Seen& each : seen) {
    host_.On(each.connection).Completes(each.command);
    const Connection& connection = *host_.model().FindConnection(each.connection);
    lunscope_sensed_command_record& record = records_.emplace_back(each.command.record);
    record.command.header.role = connection.role;
    record.command.header.time_ns = host_.now_ns + records_.size() * 1'234'567;
    commands_.push_back({record.command,
                         {.connection = &connection,
                          .device_type = each.device_type,
                          .verdict = Judge(record.command)},
                         kWallClockOffsetNs});
  }
}

}  // namespace lunscope
