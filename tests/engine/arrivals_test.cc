// SPDX-License-Identifier: Apache-2.0
// Arrival times: a reader gets the time at which its bytes came, also far behind and after a wrap
// of the sequence numbers.
#include <gtest/gtest.h>
#include <lunscope/arrivals.h>

#include <deque>
#include <random>
#include <utility>

namespace lunscope {
namespace {

class Arrivals : public testing::Test {
 protected:
  void Note(uint32_t end, uint64_t time_ns) {
    lunscope_arrivals_note(&arrivals_, lunscope_arrivals_next(&arrivals_), end, time_ns);
  }
  uint64_t Time(uint32_t seq) { return lunscope_arrivals_time(&arrivals_, seq); }

  lunscope_arrivals arrivals_ = {};
};

TEST_F(Arrivals, AreUnknownUntilNoted) {
  EXPECT_EQ(Time(0), 0u);
  Note(100, 7);
  EXPECT_EQ(Time(99), 7u);
  EXPECT_EQ(Time(100), 0u);
  Note(200, 8);
  EXPECT_EQ(Time(100), 8u);
}

TEST_F(Arrivals, AreThoseOfTheSegmentThatBroughtTheByte) {
  for (uint32_t i = 1; i <= 5; i++) Note(i * 100, i);
  for (const auto& [seq, time_ns] :
       {std::pair{0, 1}, {0, 1}, {99, 1}, {100, 2}, {350, 4}, {499, 5}})
    EXPECT_EQ(Time(static_cast<uint32_t>(seq)), static_cast<uint64_t>(time_ns)) << seq;
}

// A reader that is too far behind gets the oldest time that is left, which is later than the true
// one.
TEST_F(Arrivals, OverwrittenNotesGiveTheOldestThatIsLeft) {
  for (uint32_t i = 1; i <= LUNSCOPE_ARRIVALS + 10; i++) Note(i * 100, i);
  EXPECT_EQ(Time(0), 11u);
  EXPECT_EQ(Time(1099), 11u);
  EXPECT_EQ(Time(1100), 12u);
  EXPECT_EQ(Time(LUNSCOPE_ARRIVALS * 100), LUNSCOPE_ARRIVALS + 1u);
}

// A reader whose notes were all overwritten looks at each note once, and no more often.
TEST_F(Arrivals, AreUnknownBehindTheLastNoteHoweverFarBehindTheReaderIs) {
  for (uint32_t i = 1; i <= LUNSCOPE_ARRIVALS + 10; i++) Note(i * 100, i);
  EXPECT_EQ(Time((LUNSCOPE_ARRIVALS + 10) * 100), 0u);
  Note((LUNSCOPE_ARRIVALS + 11) * 100, 77);
  EXPECT_EQ(Time((LUNSCOPE_ARRIVALS + 10) * 100), 77u);
}

TEST_F(Arrivals, SurviveTheWrapOfNumbersAndSequenceNumbers) {
  arrivals_.noted = 0xfffffff0;
  arrivals_.place = 0xfffffff1;
  for (uint32_t i = 1; i <= 64; i++) {
    const uint32_t end = 0xffffff00 + i * 100;
    Note(end, i);
    EXPECT_EQ(Time(end - 1), i);
  }
}

// Compared with a plain list: segments of any length, and a reader at any distance behind.
TEST_F(Arrivals, AgreeWithAList) {
  std::mt19937 random(7);
  std::deque<std::pair<uint32_t, uint64_t>> unread;
  uint32_t end = 0xfffff000;
  uint32_t read = end;
  for (uint64_t now = 1; now < 20000; now++) {
    if (unread.size() < LUNSCOPE_ARRIVALS && random() % 2 == 0) {
      end += 1 + random() % 3000;
      unread.emplace_back(end, now);
      Note(end, now);
    }
    if (unread.empty() || random() % 2 == 0) continue;
    EXPECT_EQ(Time(read), unread.front().second);
    read += 1 + random() % 2000;
    if (static_cast<int32_t>(end - read) < 0) read = end;
    while (!unread.empty() && static_cast<int32_t>(unread.front().first - read) <= 0)
      unread.pop_front();
  }
}

}  // namespace
}  // namespace lunscope
