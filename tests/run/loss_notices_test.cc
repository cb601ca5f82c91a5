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
  const char* sentence;
};

constexpr LossRow kRows[] = {
    {1, 0, 0, 0, ""},
    {2, 5, 0, 0,
     "something is lost: 5 commands lost their records, 0 records of PDUs were left out, and the "
     "boundaries of PDUs were lost 0 times"},
    {3, 9, 1, 7, ""},
    {12, 9, 1, 7, ""},
    {13, 9, 1, 7,
     "nothing is lost any more: 9 commands lost their records, 7 records of PDUs were left out, "
     "and "
     "the boundaries of PDUs were lost 1 times"},
    {14, 9, 1, 7, ""},
    {50, 9, 1, 8,
     "something is lost: 0 commands lost their records, 1 records of PDUs were left out, and the "
     "boundaries of PDUs were lost 0 times"},
    {60, 9, 1, 8,
     "nothing is lost any more: 0 commands lost their records, 1 records of PDUs were left out, "
     "and "
     "the boundaries of PDUs were lost 0 times"},
    {100, 9, 3, 8,
     "something is lost: 0 commands lost their records, 0 records of PDUs were left out, and the "
     "boundaries of PDUs were lost 2 times"},
    {109, 10, 3, 8, ""},
    {118, 11, 3, 8, ""},
    {127, 12, 3, 8, ""},
    {136, 13, 3, 8, ""},
    {145, 14, 3, 8, ""},
    {154, 15, 3, 8, ""},
    {163, 16, 3, 8,
     "something is still lost: 7 commands lost their records, 0 records of PDUs were left out, and "
     "the boundaries of PDUs were lost 2 times"},
    {172, 17, 3, 8, ""},
    {190, 17, 3, 8,
     "nothing is lost any more: 8 commands lost their records, 0 records of PDUs were left out, "
     "and "
     "the boundaries of PDUs were lost 2 times"},
};

TEST(LossNotices, SayWhenLossesBeginGoOnAndEnd) {
  LossNotices notices;
  for (const LossRow& row : kRows) {
    CommandCounts counts;
    counts.lost = row.lost;
    counts.gaps = row.gaps;
    counts.left_out = row.left_out;
    EXPECT_EQ(notices.Take(counts, row.second * kSecondNs), row.sentence) << row.second;
  }
}

}  // namespace
}  // namespace lunscope
