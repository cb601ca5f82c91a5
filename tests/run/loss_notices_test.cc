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
  const char* sentence;
};

constexpr LossRow kRows[] = {
    {1, 0, 0, ""},
    {2, 5, 0,
     "something is lost: 5 commands lost their records, and the boundaries of PDUs 0 times"},
    {3, 9, 1, ""},
    {12, 9, 1, ""},
    {13, 9, 1,
     "nothing is lost any more: 9 commands lost their records, and the boundaries of PDUs 1 times"},
    {14, 9, 1, ""},
    {100, 9, 3,
     "something is lost: 0 commands lost their records, and the boundaries of PDUs 2 times"},
    {109, 10, 3, ""},
    {118, 11, 3, ""},
    {127, 12, 3, ""},
    {136, 13, 3, ""},
    {145, 14, 3, ""},
    {154, 15, 3, ""},
    {163, 16, 3,
     "something is still lost: 7 commands lost their records, and the boundaries of PDUs 2 times"},
    {172, 17, 3, ""},
    {190, 17, 3,
     "nothing is lost any more: 8 commands lost their records, and the boundaries of PDUs 2 times"},
};

TEST(LossNotices, SayWhenLossesBeginGoOnAndEnd) {
  LossNotices notices;
  for (const LossRow& row : kRows) {
    CommandCounts counts;
    counts.lost = row.lost;
    counts.gaps = row.gaps;
    EXPECT_EQ(notices.Take(counts, row.second * kSecondNs), row.sentence) << row.second;
  }
}

}  // namespace
}  // namespace lunscope
