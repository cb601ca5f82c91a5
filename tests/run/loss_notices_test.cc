// SPDX-License-Identifier: Apache-2.0
//
// The sentences of a long run about its losses, and when they come.
#include "collector/run/loss_notices.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace lunscope {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

struct LossRow {
  uint64_t second;
  uint64_t lost;
  uint64_t gaps;
  uint64_t left_out;
  uint64_t untracked;
  const char* sentence;
};

constexpr LossRow kRows[] = {
    {1, 0, 0, 0, 0, ""},
    {2, 5, 0, 0, 0, "something is lost: 5 commands lost their records"},
    {3, 9, 1, 7, 2, ""},
    {12, 9, 1, 7, 2, ""},
    {13, 9, 1, 7, 2,
     "nothing is lost any more: 9 commands lost their records, 7 records of PDUs were left out, "
     "1 times PDU boundaries were lost, 2 connections are not watched, for want of "
     "--connection-memory"},
    {14, 9, 1, 7, 2, ""},
    {50, 9, 1, 8, 2, "something is lost: 1 records of PDUs were left out"},
    {60, 9, 1, 8, 2, "nothing is lost any more: 1 records of PDUs were left out"},
    {100, 9, 3, 8, 2, "something is lost: 2 times PDU boundaries were lost"},
    {109, 10, 3, 8, 2, ""},
    {118, 11, 3, 8, 2, ""},
    {127, 12, 3, 8, 2, ""},
    {136, 13, 3, 8, 2, ""},
    {145, 14, 3, 8, 2, ""},
    {154, 15, 3, 8, 2, ""},
    {163, 16, 3, 8, 2,
     "something is still lost: 7 commands lost their records, 2 times PDU boundaries were lost"},
    {172, 17, 3, 8, 2, ""},
    {190, 17, 3, 8, 2,
     "nothing is lost any more: 8 commands lost their records, 2 times PDU boundaries were lost"},
};

TEST(LossNotices, SayWhenLossesBeginGoOnAndEnd) {
  LossNotices notices;
  for (const LossRow& row : kRows) {
    CommandCounts counts;
    counts.lost = row.lost;
    counts.gaps = row.gaps;
    counts.left_out = row.left_out;
    counts.untracked = row.untracked;
    EXPECT_EQ(notices.Take(counts, row.second * kSecondNs), row.sentence) << row.second;
  }
}

}  // namespace
}  // namespace lunscope
