// SPDX-License-Identifier: Apache-2.0
//
// The line of a command: rows mostly have at most 120 columns, objects are JSON, and only the keys
// and columns that apply are there.
#include "collector/lines/trace_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "collector/model/cdb.h"
#include "tests/golden/golden.h"
#include "tests/model/host.h"
#include "tests/model/layers.h"

namespace lunscope {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

constexpr size_t kColumns = 120;

bool IsPrintable(const std::string& line) {
  return std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::vector<std::string> Words(const char* text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

Json Parse(const std::string& line) {
  Json object = Json::parse(line, nullptr, false);
  EXPECT_TRUE(object.is_object()) << line;
  return object;
}

struct End {
  uint8_t role = kInitiator;
  std::optional<uint64_t> backend_ns = std::nullopt;
};

// Row and object of a command on a connection with this login.
struct Traced {
  Traced(const Command& command, const Login& login = {}, int device_type = 0,
         TableColumns columns = {}, const End& end = {}) {
    Host host;
    host.Opens(1, end.role).LogsIn(login).Completes(command);
    lunscope_sensed_command_record record = command.record;
    record.command.header.role = end.role;
    const Applied applied{.connection = host.model().FindConnection(1),
                          .operation = OperationOf(record.command.cdb, device_type),
                          .device_type = device_type,
                          .verdict = Judge(record.command),
                          .backend_ns = end.backend_ns};
    ShortNames names(kTargetColumns);
    const TracedCommand traced{record.command, applied, 0, 0, columns, &names};
    row = TableRow(traced);
    object = Parse(JsonObject(traced));
  }
  std::string row;
  Json object;
};

TEST(TraceLine, IsPrintableAndJsonForTheFixedTrace) {
  EXPECT_LE(TableHeader().size(), kColumns);
  const FixedTrace trace;
  for (const TracedCommand& command : trace.commands()) {
    EXPECT_TRUE(IsPrintable(TableRow(command))) << TableRow(command);
    EXPECT_TRUE(IsPrintable(JsonObject(command))) << JsonObject(command);
    Parse(JsonObject(command));
  }
}

// Row and object of a SCSI layer's command that ends so.
struct TracedLayer {
  explicit TracedLayer(const Dispatched& ended, std::optional<InnerPart> on_wire = std::nullopt) {
    Host host;
    const lunscope_command_record& command = ended.record.sensed.command;
    NexusRecord nexus(kNexus, command.header.role);
    if (command.header.role == LUNSCOPE_ROLE_TARGET) nexus.Serving("naa.1", "naa.2");
    host.Apply(nexus.Below("scsi_debug").record);
    Applied applied = host.Apply(ended.record);
    applied.on_wire = on_wire;
    const TracedCommand traced{command, applied, 0, ended.record.retries, {.wire = true}};
    row = TableRow(traced);
    object = Parse(JsonObject(traced));
  }
  static constexpr uint64_t kNexus = 3;
  std::string row;
  Json object;
};

Dispatched ReadOf(uint8_t role = LUNSCOPE_ROLE_INITIATOR) {
  return {TracedLayer::kNexus, Read16(16, 8).OnLun(Lun(1)).Taking(100'000), role};
}

struct TracedLayerRow {
  const char* what;
  Dispatched command;
  std::optional<InnerPart> on_wire;
  const char* row;      // a part of the row
  const char* present;  // members of the object
  const char* absent;   // keys that the object lacks
};

const TracedLayerRow kTracedLayerRows[] = {
    {"a command of the mid-layer",
     ReadOf(),
     {},
     "mid 3:0:0               1 Read(16)                       16     8     4096  100.0us          "
     "Good",
     R"({"role": "initiator", "source": "scsi", "transport": "scsi_debug", "device": "3:0:0:0",
         "status": "Good", "duration_us": 100.0})",
     "initiator local remote process itt cmdsn response host_status retries timed_out wire_us "
     "phases_us"},
    {"the same command on the wire", ReadOf(), InnerPart{10'000, 70'000, 20'000, {}, 0},
     "100.0us   30.0us Good",
     R"({"duration_us": 100.0, "wire_us": 70.0, "above_wire_us": 30.0,
         "phases_us": {"host_queue": 10.0, "completion": 20.0}})",
     "retries"},
    {"its phases there, of which reading the status is a part of the completion", ReadOf(),
     InnerPart{10'000, 70'000, 20'000, {1'000, 2'000, 3'000, 4'000, 64'000}, 0x1f},
     "100.0us   30.0us Good",
     R"({"phases_us": {"host_queue": 10.0, "send": 1.0, "data_out": 2.0, "transfer": 3.0,
                       "wait": 64.0, "completion": 20.0}})",
     ""},
    {"no time above the wire", ReadOf(), InnerPart{0, 100'000, 0, {}, 0}, "100.0us    0.0us Good",
     R"({"wire_us": 100.0, "above_wire_us": 0.0})", ""},
    {"a host status and retries",
     ReadOf().Failing(0x07).Again(2),
     {},
     "DID_ERROR",
     R"({"host_status": "DID_ERROR", "retries": 2})",
     "timed_out"},
    {"a host status without a name",
     ReadOf().Failing(0x99),
     {},
     "0x99",
     R"({"host_status": "0x99"})",
     "retries"},
    {"a timer that ran out",
     ReadOf().TimingOut(),
     {},
     "Timed out",
     R"({"timed_out": true})",
     "status"},
    {"a command of LIO",
     ReadOf(LUNSCOPE_ROLE_TARGET),
     {},
     "lio naa.1",
     R"({"role": "target", "source": "target", "target": "naa.1", "initiator": "naa.2"})",
     "device itt response"},
};

TEST(TraceLine, HasTheFactsOfALayer) {
  for (const TracedLayerRow& row : kTracedLayerRows) {
    SCOPED_TRACE(row.what);
    const TracedLayer traced(row.command, row.on_wire);
    EXPECT_THAT(traced.row, HasSubstr(row.row));
    const Json present = Json::parse(row.present);
    for (const auto& [key, value] : present.items())
      EXPECT_EQ(traced.object.value(key, Json()), value) << key;
    for (const std::string& key : Words(row.absent))
      EXPECT_FALSE(traced.object.contains(key)) << key;
  }
}

// The header's title ends above the last character of its column.
TEST(TableHeader, HasTheColumnOfTheWire) {
  const TracedLayer traced(ReadOf(), InnerPart{10'000, 70'000, 20'000, {}, 0});
  EXPECT_EQ(TableHeader({.wire = true}).find("ABOVE") + 5, traced.row.find("30.0us") + 6);
  EXPECT_EQ(TableHeader().find("ABOVE"), std::string::npos);
}

// A phase that is not known has an empty cell, and never a 0.
TEST(TableHeader, HasTheColumnsOfThePhases) {
  const Traced traced(Write16(0, 8)
                          .Taking(700'000)
                          .Spending(LUNSCOPE_PHASE_SEND, 0)
                          .Spending(LUNSCOPE_PHASE_DATA_OUT, 64'000)
                          .Spending(LUNSCOPE_PHASE_PICKUP, 32'000),
                      {}, 0, {.phases = true});
  const std::string header = TableHeader({.phases = true});
  EXPECT_EQ(TableHeader().find("SOCKET"), std::string::npos);
  EXPECT_THAT(header, HasSubstr(" DURATION   HEADER   SOCKET     DATA     WAIT   ANSWER STATUS"));
  EXPECT_THAT(traced.row, HasSubstr("  700.0us    0.0us   32.0us   64.0us  636.0us          Good"));
  EXPECT_EQ(header.find("STATUS"), traced.row.find("Good"));
}

// The time that LIO took is a phase of its own, and leaves the target's the rest: the sum stays.
TEST(TraceLine, HasTheTimeOfTheBackend) {
  const Command command = Read16(0, 8).Taking(704'000).Spending(LUNSCOPE_PHASE_QUEUE, 64'000);
  const TableColumns columns{.phases = true, .backend = true};
  const Traced known(command, {}, 0, columns, {.role = kTarget, .backend_ns = 500'000});
  EXPECT_EQ(known.object["phases_us"],
            Json::parse(R"({"queue": 64.0, "service": 140.0, "backend": 500.0})"));
  EXPECT_THAT(known.row, HasSubstr(" 140.0us  500.0us "));
  EXPECT_EQ(TableHeader(columns).find("BACKEND"), known.row.find("500.0us"));
  const Traced unknown(command, {}, 0, columns, {.role = kTarget});
  EXPECT_THAT(unknown.row, HasSubstr(" 640.0us          "));
}

struct WideRow {
  const char* what;
  Command command;
};

const WideRow kWide[] = {
    {"an LBA of 64 bits", Read16(~uint64_t{0}, 1)},
    {"an LBA of 48 bits", Read16(uint64_t{1} << 47, 1)},
    {"blocks of 32 bits", Read16(0, 1).Moving(0)},
    {"the most blocks",
     Command({SCSI_WRITE_SAME_16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0},
             ISCSI_COMMAND_WRITE)},
    {"16 MiB", Read16(0, 32768)},
    {"4 GiB", Read16(0, 1).Moving(~0u)},
    {"a LUN in hex", Read16(0, 1).OnLun(~uint64_t{0})},
    {"an hour", Read16(0, 1).Taking(3'600'000'000'000)},
    {"the longest time", Read16(0, 1).Taking(~uint64_t{0})},
    {"a long status", Read16(0, 1).Ending(0x18)},
    {"an unknown status", Read16(0, 1).Ending(0xee)},
};

TEST(TableRow, HasAtMost120ColumnsUnlessThereIsMoreToSay) {
  for (const WideRow& row : kWide) {
    const std::string line = Traced(row.command).row;
    EXPECT_LE(line.size(), kColumns) << row.what << "\n" << line;
  }
}

// Two commands whose names differ at their end, and sense data, are shown whole.
TEST(TableRow, CutsNothingThatTellsTwoThingsApart) {
  EXPECT_THAT(Traced(Command({0x93}), {}, kUnknownDeviceType).row,
              HasSubstr("0x93: Write same(16) or Erase(16) "));
  EXPECT_THAT(Traced(Command({0x5f, 0x06})).row,
              HasSubstr("Persistent reserve out, register and ignore existing key "));
  EXPECT_THAT(Traced(Read16(0, 1).Sensing(6, 0x29, 0)).row,
              HasSubstr("Unit Attention: Power on, reset, or bus device reset occurred"));
}

const Login kHostile[] = {
    {.initiator = "iqn.\"quoted\"", .target = "iqn.\"quoted\""},
    {.initiator = "iqn.\\", .target = "iqn.\\"},
    {.initiator = "iqn.\n\r\t", .target = "iqn.\n{\"a\":1}"},
    {.initiator = "iqn.\x1b[2J", .target = "iqn.\x1b]0;title\x07"},
    {.initiator = "iqn.\xff\xfe\xc3\x28", .target = "iqn.\xff\xfe\xc3\x28"},
    {.initiator = std::string(5000, 'i'), .target = std::string(5000, 't')},
    {.initiator = std::string(223, '"'), .target = std::string(223, '\x1b')},
};

TEST(TraceLine, IsPrintableAndJsonForHostileNames) {
  for (const Login& login : kHostile) {
    const Traced traced(Read16(0, 1), login);
    EXPECT_LE(traced.row.size(), kColumns) << traced.row;
    EXPECT_TRUE(IsPrintable(traced.row)) << traced.row;
    const auto name = traced.object.at("target").get<std::string>();
    EXPECT_TRUE(IsPrintable(name)) << name;
    EXPECT_LE(name.size(), 4 * 223u + 3);
  }
}

TEST(JsonObject, HasTheKeysOfACommand) {
  const Json object =
      Traced(Read16(1000, 8).OnLun(Lun(3)).Taking(87'100).Tagged(0xfffffffe, 7)).object;
  const Json wanted = Json::parse(R"json({
    "time": "1970-01-01T00:00:00.000000Z", "role": "initiator", "initiator": "iqn.host",
    "target": "iqn.disk", "local": "192.0.2.1:40001", "remote": "192.0.2.2:3260", "lun": "3",
    "itt": 4294967294, "cmdsn": 7, "command": "Read(16)", "operation": "read",
    "cdb": "880000000000000003e8000000080000", "lba": 1000, "blocks": 8,
    "expected_bytes": 4096, "transferred_bytes": 4096, "status": "Good", "response": "completed",
    "duration_us": 87.1})json");
  EXPECT_EQ(object, wanted);
}

struct KeysRow {
  const char* what;
  Command command;
  int device_type;
  const char* present;
  const char* absent;
};

const KeysRow kKeys[] = {
    {"no data", Command(TestUnitReady()), 0, "status response",
     "lba blocks expected_bytes sense phases_us r2ts retransmits"},
    {"data", Read16(0, 1), 0, "lba blocks expected_bytes transferred_bytes", "residual_bytes"},
    {"a tape has no LBA", Command({0x08}, ISCSI_COMMAND_READ), 1, "expected_bytes", "lba blocks"},
    {"a CD has one", Command({0x28}, ISCSI_COMMAND_READ), 5, "lba blocks", ""},
    {"a device of unknown type", Read16(0, 1), kUnknownDeviceType, "lba blocks", ""},
    {"a disk, or a tape", Command({0x08}, ISCSI_COMMAND_READ), kUnknownDeviceType, "", "lba"},
    {"sense", Read16(0, 1).Sensing(5, 0x21, 0), 0, "sense status", ""},
    {"sense that is not valid", Read16(0, 1).Sensing({0x7f, 1, 2, 3}), 0, "status", "sense"},
    {"underflow", Read16(0, 2).ShortBy(512), 0, "residual_bytes residual", "bidi_read_residual"},
    {"overflow", Read16(0, 2).LongBy(512), 0, "residual_bytes residual", "bidi_read_residual"},
    {"no status", Read16(0, 1).Responding(1), 0, "response", "status"},
};

TEST(JsonObject, HasThePhasesThatAreKnown) {
  Command write = Write16(0, 8)
                      .Taking(700'000)
                      .Spending(LUNSCOPE_PHASE_SEND, 0)
                      .Spending(LUNSCOPE_PHASE_DATA_OUT, 64'000)
                      .Spending(LUNSCOPE_PHASE_PICKUP, 32'000);
  write.record.command.r2ts = 3;
  write.record.command.retransmits = 2;
  const Json object = Traced(write).object;
  EXPECT_EQ(object.at("phases_us"),
            Json::parse(R"({"send": 0.0, "data_out": 64.0, "pickup": 32.0, "wait": 636.0})"));
  EXPECT_EQ(object.at("r2ts"), 3);
  EXPECT_EQ(object.at("retransmits"), 2);
}

TEST(JsonObject, HasNoKeysThatDoNotApply) {
  for (const KeysRow& row : kKeys) {
    const Json object = Traced(row.command, {}, row.device_type).object;
    for (const std::string& key : Words(row.present))
      EXPECT_TRUE(object.contains(key)) << row.what << ": " << key;
    for (const std::string& key : Words(row.absent))
      EXPECT_FALSE(object.contains(key)) << row.what << ": " << key;
  }
}

TEST(JsonObject, HasTheSense) {
  const Json object = Traced(Read16(0, 1).Sensing(0x05, 0x21, 0x80)).object;
  EXPECT_EQ(object.at("sense"),
            Json::parse(R"({"key": 5, "asc": 33, "ascq": 128, "text": "Illegal Request"})"));
  EXPECT_EQ(object.at("status"), "Check Condition");
}

TEST(JsonObject, TellsADeferredErrorApart) {
  const Json object = Traced(Read16(0, 1).Sensing({0x73, 4, 0x44, 0})).object;
  EXPECT_EQ(object.at("sense"), Json::parse(R"({"key": 4, "asc": 68, "ascq": 0, "deferred": true,
                            "text": "Hardware Error: Internal target failure"})"));
}

TEST(JsonObject, HasTheKindOfTheResidual) {
  EXPECT_EQ(Traced(Read16(0, 2).ShortBy(512)).object.at("residual"), "underflow");
  EXPECT_EQ(Traced(Read16(0, 2).LongBy(512)).object.at("residual"), "overflow");
}

}  // namespace
}  // namespace lunscope
