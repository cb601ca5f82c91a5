// SPDX-License-Identifier: Apache-2.0
//
// Bytes become a typed record in one place only. Each row is bytes, and whether they are a record.
#include "collector/base/record.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace lunscope {
namespace {

constexpr uint32_t kHeader = sizeof(lunscope_record);
constexpr uint32_t kConnection = sizeof(lunscope_connection_record);
constexpr uint32_t kCommand = sizeof(lunscope_command_record);
constexpr uint32_t kSensed = sizeof(lunscope_sensed_command_record);
constexpr uint32_t kPdu = sizeof(lunscope_pdu_record);
constexpr uint32_t kInflight = offsetof(lunscope_inflight_record, waiting);         // of none
constexpr uint32_t kAggregates = offsetof(lunscope_aggregates_record, aggregates);  // of none
constexpr uint32_t kNexus = sizeof(lunscope_nexus_record);
constexpr uint32_t kScsi = sizeof(lunscope_scsi_command_record);
constexpr uint32_t kPduHeader = sizeof(lunscope_header_record);

struct Row {
  const char* what;
  uint8_t abi;
  uint8_t kind;
  uint32_t said;   // in the record
  uint32_t there;  // in the ring
  bool is_record;
};

constexpr Row kRows[] = {
    {"a connection", LUNSCOPE_ABI, LUNSCOPE_RECORD_CONNECTION, kConnection, kConnection, true},
    {"a command", LUNSCOPE_ABI, LUNSCOPE_RECORD_COMMAND, kCommand, kCommand, true},
    {"a command with sense", LUNSCOPE_ABI, LUNSCOPE_RECORD_COMMAND, kSensed, kSensed, true},
    {"a PDU", LUNSCOPE_ABI, LUNSCOPE_RECORD_PDU, kPdu, kPdu, true},
    {"a list of commands in flight", LUNSCOPE_ABI, LUNSCOPE_RECORD_INFLIGHT, kInflight, kInflight,
     true},
    {"a table of aggregates", LUNSCOPE_ABI, LUNSCOPE_RECORD_AGGREGATES, kAggregates, kAggregates,
     true},
    {"a header", LUNSCOPE_ABI, LUNSCOPE_RECORD_HEADER, kPduHeader, kPduHeader, true},
    {"a nexus", LUNSCOPE_ABI, LUNSCOPE_RECORD_NEXUS, kNexus, kNexus, true},
    {"a command of a layer", LUNSCOPE_ABI, LUNSCOPE_RECORD_SCSI_COMMAND, kScsi, kScsi, true},
    {"more room than the record needs", LUNSCOPE_ABI, LUNSCOPE_RECORD_PDU, kPdu, kPdu + 8, true},

    {"the ABI before", LUNSCOPE_ABI - 1, LUNSCOPE_RECORD_PDU, kPdu, kPdu, false},
    {"the ABI after", LUNSCOPE_ABI + 1, LUNSCOPE_RECORD_PDU, kPdu, kPdu, false},
    {"kind 0", LUNSCOPE_ABI, 0, kPdu, kPdu, false},
    {"a kind behind the last", LUNSCOPE_ABI, LUNSCOPE_RECORD_KINDS, kPdu, kPdu, false},
    {"kind 255", LUNSCOPE_ABI, 255, kPdu, kPdu, false},

    {"one byte less than it says", LUNSCOPE_ABI, LUNSCOPE_RECORD_PDU, kPdu, kPdu - 1, false},
    {"a header alone", LUNSCOPE_ABI, LUNSCOPE_RECORD_PDU, kPdu, kHeader, false},
    {"a header alone that says so", LUNSCOPE_ABI, LUNSCOPE_RECORD_PDU, kHeader, kHeader, false},
    {"less than a header", LUNSCOPE_ABI, LUNSCOPE_RECORD_PDU, kPdu, kHeader - 1, false},
    {"nothing", LUNSCOPE_ABI, LUNSCOPE_RECORD_PDU, kPdu, 0, false},
    {"length 0", LUNSCOPE_ABI, LUNSCOPE_RECORD_PDU, 0, kPdu, false},
    {"length of all ones", LUNSCOPE_ABI, LUNSCOPE_RECORD_PDU, ~0u, kPdu, false},

    {"a connection as long as a command", LUNSCOPE_ABI, LUNSCOPE_RECORD_CONNECTION, kCommand,
     kConnection, false},
    {"a connection, longer", LUNSCOPE_ABI, LUNSCOPE_RECORD_CONNECTION, kConnection + 8,
     kConnection + 8, false},
    {"a command, shorter", LUNSCOPE_ABI, LUNSCOPE_RECORD_COMMAND, kCommand - 8, kCommand, false},
    {"a command with half its sense", LUNSCOPE_ABI, LUNSCOPE_RECORD_COMMAND, kCommand + 48, kSensed,
     false},
    {"a command, longer", LUNSCOPE_ABI, LUNSCOPE_RECORD_COMMAND, kSensed + 8, kSensed + 8, false},
    {"a PDU, shorter", LUNSCOPE_ABI, LUNSCOPE_RECORD_PDU, kPdu - 8, kPdu, false},
    {"a PDU, longer", LUNSCOPE_ABI, LUNSCOPE_RECORD_PDU, kPdu + 8, kPdu + 8, false},
    {"a nexus, shorter", LUNSCOPE_ABI, LUNSCOPE_RECORD_NEXUS, kNexus - 8, kNexus, false},
    {"a command of a layer, shorter", LUNSCOPE_ABI, LUNSCOPE_RECORD_SCSI_COMMAND, kSensed, kScsi,
     false},
    {"a table of aggregates, shorter", LUNSCOPE_ABI, LUNSCOPE_RECORD_AGGREGATES, kAggregates - 8,
     kAggregates, false},
    {"a list of commands in flight, shorter", LUNSCOPE_ABI, LUNSCOPE_RECORD_INFLIGHT, kInflight - 8,
     kInflight, false},
};

// Memory of exactly this size, so that a sanitizer sees a read behind its end.
using Memory = std::unique_ptr<void, decltype(&std::free)>;
Memory Allocate(size_t bytes) { return {std::calloc(1, bytes != 0 ? bytes : 1), &std::free}; }

TEST(CheckRecord, TellsARecordFromOtherBytes) {
  for (const Row& row : kRows) {
    lunscope_record header{};
    header.abi = row.abi;
    header.kind = row.kind;
    header.bytes = row.said;
    const Memory memory = Allocate(row.there);
    std::memcpy(memory.get(), &header, std::min<size_t>(row.there, sizeof(header)));
    const lunscope_record* record = CheckRecord(memory.get(), row.there);
    EXPECT_EQ(record != nullptr, row.is_record) << row.what;
    if (record != nullptr) {
      EXPECT_EQ(record, memory.get()) << row.what;
    }
  }
}

template <typename Record>
bool Passes(Record record, uint8_t kind) {
  lunscope_record& header = HeaderOf(record);
  header.abi = LUNSCOPE_ABI;
  header.kind = kind;
  header.bytes = sizeof(record);
  const Memory memory = Allocate(sizeof(record));
  std::memcpy(memory.get(), &record, sizeof(record));
  return CheckRecord(memory.get(), sizeof(record)) != nullptr;
}

// Lengths inside a record must fit it as well, for they say how far to read.
TEST(CheckRecord, LooksAtTheLengthsInside) {
  lunscope_command_record command{};
  EXPECT_TRUE(Passes(command, LUNSCOPE_RECORD_COMMAND));
  command.sense_bytes = 1;
  EXPECT_FALSE(Passes(command, LUNSCOPE_RECORD_COMMAND)) << "sense without its room";
  command.sense_bytes = 0;
  command.no_status = LUNSCOPE_UNREPORTED_COUNT;
  EXPECT_TRUE(Passes(command, LUNSCOPE_RECORD_COMMAND));
  command.no_status++;
  EXPECT_FALSE(Passes(command, LUNSCOPE_RECORD_COMMAND)) << "behind the last reason";
  lunscope_sensed_command_record sensed{};
  sensed.command.sense_bytes = LUNSCOPE_SENSE_BYTES;
  EXPECT_TRUE(Passes(sensed, LUNSCOPE_RECORD_COMMAND));
  sensed.command.sense_bytes = LUNSCOPE_SENSE_BYTES + 1;
  EXPECT_FALSE(Passes(sensed, LUNSCOPE_RECORD_COMMAND)) << "more sense than its room";
  lunscope_pdu_record pdu{};
  pdu.chunk_bytes = LUNSCOPE_CHUNK_BYTES;
  EXPECT_TRUE(Passes(pdu, LUNSCOPE_RECORD_PDU));
  pdu.chunk_bytes = LUNSCOPE_CHUNK_BYTES + 1;
  EXPECT_FALSE(Passes(pdu, LUNSCOPE_RECORD_PDU)) << "more chunk than its room";
  const auto list = std::make_unique<lunscope_inflight_record>();
  list->count = LUNSCOPE_TRACKED_COMMANDS;
  EXPECT_TRUE(Passes(*list, LUNSCOPE_RECORD_INFLIGHT));
  list->count--;
  EXPECT_FALSE(Passes(*list, LUNSCOPE_RECORD_INFLIGHT)) << "longer than its list";
  list->count = ~0u;
  EXPECT_FALSE(Passes(*list, LUNSCOPE_RECORD_INFLIGHT)) << "more commands than its room";
  const auto table = std::make_unique<lunscope_aggregates_record>();
  table->count = LUNSCOPE_AGGREGATES;
  EXPECT_TRUE(Passes(*table, LUNSCOPE_RECORD_AGGREGATES));
  table->count++;
  EXPECT_FALSE(Passes(*table, LUNSCOPE_RECORD_AGGREGATES)) << "more aggregates than its room";
}

struct Kind {
  const char* type;
  uint8_t kind;
  uint32_t bytes;  // of the struct
};

#define LUNSCOPE_ROW(name, type, bytes) {#type, LUNSCOPE_RECORD_##name, sizeof(type)},
constexpr Kind kKinds[] = {LUNSCOPE_RECORDS(LUNSCOPE_ROW)};
#undef LUNSCOPE_ROW

// Zeroed memory that begins with the header of this kind of record.
Memory Zeroed(uint8_t kind, uint32_t bytes) {
  lunscope_record header{};
  header.abi = LUNSCOPE_ABI;
  header.kind = kind;
  header.bytes = bytes;
  Memory memory = Allocate(bytes);
  std::memcpy(memory.get(), &header, sizeof(header));
  return memory;
}

// Most sizes are wrong for every kind. A bare header is too short even for an empty list.
TEST(CheckRecord, RefusesEveryKindInAWrongSize) {
  for (const Kind& kind : kKinds) {
    for (const uint32_t bytes : {kHeader, kind.bytes - 1, kind.bytes + 1}) {
      const Memory memory = Zeroed(kind.kind, bytes);
      EXPECT_EQ(CheckRecord(memory.get(), bytes), nullptr) << kind.type << " of " << bytes;
    }
  }
}

// The name of the type that a record is visited as.
struct TypeName {
#define LUNSCOPE_ROW(name, type, bytes) \
  std::string operator()(const type&) const { return #type; }
  LUNSCOPE_RECORDS(LUNSCOPE_ROW)
#undef LUNSCOPE_ROW
  std::string operator()(const lunscope_record&) const { return "unknown"; }
};

TEST(Visit, GivesEachKindItsType) {
  for (const Kind& kind : kKinds) {
    const Memory memory = Zeroed(kind.kind, kind.bytes);
    EXPECT_EQ(Visit(RecordAt(memory.get()), TypeName()), kind.type);
  }
}

TEST(Visit, GivesAnUnknownKindNoType) {
  for (const uint8_t kind : {uint8_t{0}, uint8_t{LUNSCOPE_RECORD_KINDS}, uint8_t{255}}) {
    const Memory memory = Zeroed(kind, kHeader);
    EXPECT_EQ(Visit(RecordAt(memory.get()), TypeName()), "unknown");
    EXPECT_EQ(RecordAs<lunscope_command_record>(RecordAt(memory.get())), nullptr);
  }
}

TEST(RecordAs, IsNullForAnotherKind) {
  const Memory memory = Zeroed(LUNSCOPE_RECORD_PDU, kPdu);
  const lunscope_record& record = RecordAt(memory.get());
  const void* pdu = RecordAs<lunscope_pdu_record>(record);
  EXPECT_EQ(pdu, memory.get());
  EXPECT_EQ(RecordAs<lunscope_command_record>(record), nullptr);
  EXPECT_EQ(RecordAs<lunscope_header_record>(record), nullptr);
}

TEST(SenseBytes, AreThoseBehindTheCommand) {
  lunscope_sensed_command_record sensed{};
  EXPECT_TRUE(SenseBytes(sensed.command).empty());
  sensed.command.sense_bytes = 3;
  EXPECT_EQ(SenseBytes(sensed.command).data(), sensed.sense);
  EXPECT_EQ(SenseBytes(sensed.command).size(), 3u);
}

TEST(HeaderOf, IsTheBeginningOfEachRecord) {
#define LUNSCOPE_ROW(name, type, bytes)                                    \
  {                                                                        \
    const auto record = std::make_unique<type>();                          \
    EXPECT_EQ(static_cast<const void*>(&HeaderOf(*record)), record.get()); \
  }
  LUNSCOPE_RECORDS(LUNSCOPE_ROW)
#undef LUNSCOPE_ROW
}

}  // namespace
}  // namespace lunscope
