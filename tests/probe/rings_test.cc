// SPDX-License-Identifier: Apache-2.0
//
// Which bytes count as a record, and which are malformed.
#include "collector/probe/rings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "tests/probe/records.h"

namespace lunscope {
namespace {

// Hands over the bytes as one record. Returns whether they reached the handler unchanged.
bool IsHandedOn(Rings& rings, const std::string& bytes) {
  // Memory of exactly this size, so that a sanitizer sees a read behind its end.
  std::vector<uint64_t> words(std::max<size_t>((bytes.size() + 7) / 8, 1));
  std::memcpy(words.data(), bytes.data(), bytes.size());
  int calls = 0;
  rings.Hand(words.data(), bytes.size(), [&](const lunscope_record& record) {
    calls++;
    EXPECT_EQ(static_cast<const void*>(&record), static_cast<const void*>(words.data()));
  });
  EXPECT_LE(calls, 1);
  return calls == 1;
}

TEST(Rings, HandOnAWholeRecord) {
  Rings rings;
  EXPECT_TRUE(IsHandedOn(
      rings, Bytes(MakeRecord<lunscope_connection_record>(LUNSCOPE_RECORD_CONNECTION, 1))));
  EXPECT_TRUE(
      IsHandedOn(rings, Bytes(MakeRecord<lunscope_command_record>(LUNSCOPE_RECORD_COMMAND, 1))));
  EXPECT_TRUE(
      IsHandedOn(rings, Bytes(MakeRecord<lunscope_nexus_record>(LUNSCOPE_RECORD_NEXUS, 1))));
  EXPECT_EQ(rings.malformed_records(), 0u);
}

struct MalformedCase {
  const char* what;
  void (*spoil)(lunscope_record& header);
};

const MalformedCase kMalformed[] = {
    {"another ABI", [](lunscope_record& header) { header.abi++; }},
    {"no kind", [](lunscope_record& header) { header.kind = 0; }},
    {"an unknown kind", [](lunscope_record& header) { header.kind = LUNSCOPE_RECORD_KINDS; }},
    {"the length of another kind",
     [](lunscope_record& header) { header.kind = LUNSCOPE_RECORD_COMMAND; }},
    {"too short", [](lunscope_record& header) { header.bytes--; }},
    {"no length", [](lunscope_record& header) { header.bytes = 0; }},
    {"longer than what is there", [](lunscope_record& header) { header.bytes++; }},
    {"the largest length", [](lunscope_record& header) { header.bytes = 0xffffffff; }},
};

TEST(Rings, CountWhatIsMalformed) {
  Rings rings;
  uint64_t malformed = 0;
  for (const MalformedCase& row : kMalformed) {
    auto record = MakeRecord<lunscope_connection_record>(LUNSCOPE_RECORD_CONNECTION, 1);
    row.spoil(record.header);
    EXPECT_FALSE(IsHandedOn(rings, Bytes(record))) << row.what;
    EXPECT_EQ(rings.malformed_records(), ++malformed) << row.what;
  }
}

TEST(Rings, CountARecordThatIsCutAnywhere) {
  Rings rings;
  const std::string bytes =
      Bytes(MakeRecord<lunscope_connection_record>(LUNSCOPE_RECORD_CONNECTION, 1));
  for (size_t length = 0; length < bytes.size(); length++)
    EXPECT_FALSE(IsHandedOn(rings, bytes.substr(0, length))) << length;
  EXPECT_EQ(rings.malformed_records(), bytes.size());
}

}  // namespace
}  // namespace lunscope
