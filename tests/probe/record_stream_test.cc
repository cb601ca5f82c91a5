// SPDX-License-Identifier: Apache-2.0
//
// Records that are read in pieces: they are handed on whole, wherever the pieces end.
#include "collector/probe/record_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "tests/probe/records.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Reading {
 public:
  // Puts the bytes into the stream, in as many steps as its room needs.
  void Read(std::string_view bytes) {
    while (!bytes.empty() && !stream_.room().empty()) {
      const std::span<char> room = stream_.room();
      const size_t some = std::min(bytes.size(), room.size());
      std::memcpy(room.data(), bytes.data(), some);
      stream_.Advance(some, take_);
      bytes.remove_prefix(some);
    }
  }
  void End() { stream_.End(take_); }
  RecordStream& stream() { return stream_; }
  [[nodiscard]] const std::vector<std::string>& records() const { return records_; }

 private:
  RecordStream stream_;
  std::vector<std::string> records_;
  RecordStream::Take take_ = [this](const void* record, size_t bytes) {
    records_.emplace_back(static_cast<const char*>(record), bytes);
  };
};

// A walk's records: a connection's own, and its commands in flight, which have no fixed length.
std::vector<std::string> WalkRecords() {
  std::vector<std::string> records;
  for (uint32_t count = 0; count < 3; count++) {
    records.push_back(Bytes(
        MakeRecord<lunscope_connection_record>(LUNSCOPE_RECORD_CONNECTION, uint64_t{count} + 1)));
    auto inflight = MakeRecord<lunscope_inflight_record>(LUNSCOPE_RECORD_INFLIGHT, 1);
    inflight.count = count;
    inflight.header.bytes = static_cast<uint32_t>(offsetof(lunscope_inflight_record, waiting[0]) +
                                                  count * sizeof(inflight.waiting[0]));
    records.push_back(Bytes(inflight).substr(0, inflight.header.bytes));
  }
  return records;
}

std::string Joined(const std::vector<std::string>& records) {
  std::string bytes;
  for (const std::string& record : records) bytes += record;
  return bytes;
}

TEST(RecordStream, MayBeCutAtAnyByte) {
  const std::vector<std::string> records = WalkRecords();
  const std::string bytes = Joined(records);
  for (size_t cut = 0; cut <= bytes.size(); cut++) {
    Reading reading;
    reading.Read(std::string_view(bytes).substr(0, cut));
    reading.Read(std::string_view(bytes).substr(cut));
    ASSERT_EQ(reading.records(), records) << cut;
    reading.End();
    ASSERT_EQ(reading.records(), records) << cut;
  }
}

TEST(RecordStream, MayComeInPiecesOfAnyLength) {
  const std::vector<std::string> records = WalkRecords();
  const std::string bytes = Joined(records);
  for (const size_t length : {1, 2, 7, 23, 24, 25, 759, 760, 761, 1000}) {
    Reading reading;
    for (size_t at = 0; at < bytes.size(); at += length)
      reading.Read(std::string_view(bytes).substr(at, length));
    EXPECT_EQ(reading.records(), records) << length;
  }
}

TEST(RecordStream, MayBeLongerThanItsBuffer) {
  const std::string record =
      Bytes(MakeRecord<lunscope_connection_record>(LUNSCOPE_RECORD_CONNECTION, 1));
  Reading reading;
  for (int i = 0; i < 1000; i++) reading.Read(record);
  EXPECT_EQ(reading.records(), std::vector<std::string>(1000, record));
}

TEST(RecordStream, HandsOnWhatIsLeftAtItsEnd) {
  const std::string record =
      Bytes(MakeRecord<lunscope_connection_record>(LUNSCOPE_RECORD_CONNECTION, 1));
  Reading reading;
  reading.Read(record + record.substr(0, 100));
  EXPECT_THAT(reading.records(), ElementsAre(record));
  reading.End();
  EXPECT_THAT(reading.records(), ElementsAre(record, record.substr(0, 100)));
  reading.End();
  EXPECT_EQ(reading.records().size(), 2u);
}

// A header that says less than its own length, or more than the buffer holds, stops the stream. It
// is handed on at the end, where it counts as malformed.
TEST(RecordStream, StopsAtALengthThatCannotBe) {
  for (const uint32_t length : {0u, 23u, 1u << 20, 0xffffffffu}) {
    auto record = MakeRecord<lunscope_connection_record>(LUNSCOPE_RECORD_CONNECTION, 1);
    record.header.bytes = length;
    Reading reading;
    for (int i = 0; i < 1000; i++) reading.Read(Bytes(record));
    EXPECT_THAT(reading.records(), IsEmpty()) << length;
    EXPECT_TRUE(reading.stream().room().empty()) << length;
    reading.End();
    EXPECT_EQ(reading.records().size(), 1u) << length;
  }
}

TEST(RecordStream, ForgetsWhatABrokenOffStreamHasLeft) {
  const std::string record =
      Bytes(MakeRecord<lunscope_connection_record>(LUNSCOPE_RECORD_CONNECTION, 1));
  Reading reading;
  reading.Read(record.substr(0, 100));
  reading.stream().Begin();
  reading.Read(record);
  reading.End();
  EXPECT_THAT(reading.records(), ElementsAre(record));
}

}  // namespace
}  // namespace lunscope
