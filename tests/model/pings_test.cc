// SPDX-License-Identifier: Apache-2.0
// Pings: which NOP asks, which one answers it, and which are never answered.
#include "collector/model/pings.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/vectors/pdu.h"

namespace lunscope {
namespace {

constexpr uint32_t kNoTag = kReservedTag;

struct Nop {
  uint64_t at_ms;
  bool from_initiator;
  uint32_t itt;
  uint32_t ttt;
};

Nop Out(uint64_t at_ms, uint32_t itt, uint32_t ttt) { return {at_ms, true, itt, ttt}; }
Nop In(uint64_t at_ms, uint32_t itt, uint32_t ttt) { return {at_ms, false, itt, ttt}; }

struct PingRow {
  const char* what;
  std::vector<Nop> nops;
  PingSender sender;  // whose counts these are; the other has none
  uint64_t answered;
  uint64_t sum_ms;
  uint64_t given_up;
  size_t waiting;
};

const PingRow kPings[] = {
    {"the initiator asks", {Out(0, 5, kNoTag), In(3, 5, kNoTag)}, kPingOfInitiator, 1, 3, 0, 0},
    {"the target asks", {In(0, kNoTag, 7), Out(4, kNoTag, 7)}, kPingOfTarget, 1, 4, 0, 0},
    {"no answer is wanted",
     {Out(0, kNoTag, kNoTag), In(1, kNoTag, kNoTag)},
     kPingOfInitiator,
     0,
     0,
     0,
     0},
    {"no answer comes", {Out(0, 5, kNoTag)}, kPingOfInitiator, 0, 0, 0, 1},
    {"an answer to nothing", {In(0, 5, kNoTag)}, kPingOfInitiator, 0, 0, 0, 0},
    {"an answer with another tag",
     {In(0, kNoTag, 7), Out(4, kNoTag, 8)},
     kPingOfTarget,
     0,
     0,
     0,
     1},
    {"two at once",
     {Out(0, 5, kNoTag), Out(1, 6, kNoTag), In(3, 5, kNoTag), In(5, 6, kNoTag)},
     kPingOfInitiator,
     2,
     7,
     0,
     0},
    {"one is skipped",
     {Out(0, 5, kNoTag), Out(1, 6, kNoTag), In(3, 6, kNoTag)},
     kPingOfInitiator,
     1,
     2,
     1,
     0},
    {"the same tag again",
     {Out(0, 5, kNoTag), In(2, 5, kNoTag), Out(10, 5, kNoTag), In(11, 5, kNoTag)},
     kPingOfInitiator,
     2,
     3,
     0,
     0},
};

TEST(Pings, AreAnsweredByTheNopThatReturnsTheirTag) {
  for (const PingRow& row : kPings) {
    Pings pings;
    std::array<PingStatistics, kPingSenders> counts;
    for (const Nop& nop : row.nops) {
      const Bytes bhs = Pdu(nop.from_initiator ? ISCSI_NOP_OUT : ISCSI_NOP_IN, kFinal)
                            .Itt(nop.itt)
                            .Set32(20, nop.ttt);
      pings.Take(bhs.data(), nop.at_ms * 1'000'000, counts);
    }
    const PingStatistics& seen = counts[row.sender];
    EXPECT_EQ(seen.duration_ns.count(), row.answered) << row.what;
    EXPECT_EQ(seen.duration_ns.sum(), row.sum_ms * 1'000'000) << row.what;
    EXPECT_EQ(seen.given_up, row.given_up) << row.what;
    EXPECT_EQ(pings.waiting(row.sender).size(), row.waiting) << row.what;
    EXPECT_EQ(counts[1 - row.sender].duration_ns.count(), 0u) << row.what;
    pings.GiveUp(counts);
    EXPECT_EQ(seen.given_up, row.given_up + row.waiting) << row.what;
    EXPECT_TRUE(pings.waiting(row.sender).empty());
  }
}

TEST(Pings, WaitForNoMoreThanSome) {
  Pings pings;
  std::array<PingStatistics, kPingSenders> counts;
  for (uint32_t itt = 0; itt < 1000; itt++) {
    const Bytes bhs = Pdu(ISCSI_NOP_OUT, kFinal).Itt(itt).Set32(20, kNoTag);
    pings.Take(bhs.data(), itt, counts);
  }
  EXPECT_EQ(pings.waiting(kPingOfInitiator).size(), Pings::kMaxWaiting);
  EXPECT_EQ(counts[kPingOfInitiator].given_up, 1000 - Pings::kMaxWaiting);
}

}  // namespace
}  // namespace lunscope
