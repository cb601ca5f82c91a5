// SPDX-License-Identifier: Apache-2.0
//
// Reassembly, tested in a small language. "4-8" takes the bytes 4 to 8 of the stream, "a6"
// acknowledges all bytes before 6, and "!" gives up. The output is written in the same way; "?3"
// says that the snap length kept only 3 bytes of a stretch.
#include "collector/replay/reassembly.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace lunscope {
namespace {

// The byte of the stream at this offset.
uint8_t ByteAt(size_t offset) { return static_cast<uint8_t>(offset * 7 + 1); }

class Play {
 public:
  explicit Play(uint32_t first, size_t max_waiting_bytes = Reassembly::kMaxWaitingBytes)
      : first_(first),
        reassembly([this](const Stretch& stretch) { Note(stretch); }, max_waiting_bytes) {
    reassembly.Start(first);
  }

  // keep: how many bytes of the segment the capture has.
  void Take(size_t from, size_t to, size_t keep = SIZE_MAX) {
    std::vector<uint8_t> bytes;
    for (size_t i = from; i < to && i - from < keep; i++) bytes.push_back(ByteAt(i));
    reassembly.Take({Seq(from), static_cast<uint32_t>(to - from), bytes, ++now_ns});
  }
  void Acknowledge(size_t offset) { reassembly.Acknowledge(Seq(offset)); }

  std::string Run(const std::string& script) {
    std::istringstream words(script);
    std::string word;
    while (words >> word) {
      size_t from = 0, to = 0;
      char dash = 0;
      if (word == "!") {
        reassembly.GiveUp();
      } else if (word[0] == 'a') {
        Acknowledge(std::stoul(word.substr(1)));
      } else {
        std::istringstream(word) >> from >> dash >> to;
        Take(from, to);
      }
    }
    return out;
  }

  [[nodiscard]] uint32_t Seq(size_t offset) const { return first_ + static_cast<uint32_t>(offset); }

  std::string out;
  std::vector<uint64_t> times;
  uint64_t now_ns = 0;

 private:
  void Note(const Stretch& stretch) {
    const size_t from = stretch.seq - first_;
    out += fmt::format("{}{}-{}", out.empty() ? "" : " ", from, from + stretch.bytes);
    if (stretch.captured.size() < stretch.bytes) out += fmt::format("?{}", stretch.captured.size());
    for (size_t i = 0; i < stretch.captured.size(); i++)
      ASSERT_EQ(stretch.captured[i], ByteAt(from + i)) << "at " << from + i;
    times.push_back(stretch.time_ns);
  }

  const uint32_t first_;

 public:
  Reassembly reassembly;
};

struct Row {
  const char* name;
  const char* in;
  const char* out;
};

constexpr Row kRows[] = {
    {"InOrder", "0-4 4-8 8-9", "0-4 4-8 8-9"},
    {"Repeated", "0-4 0-4 4-8 0-4 4-8", "0-4 4-8"},
    {"Swapped", "4-8 0-4", "0-4 4-8"},
    {"Backwards", "6-8 4-6 2-4 0-2", "0-2 2-4 4-6 6-8"},
    {"RepeatedWhileWaiting", "4-8 4-8 0-4", "0-4 4-8"},
    {"LongerWhileWaiting", "4-6 4-8 0-4", "0-4 4-8"},
    {"ShorterWhileWaiting", "4-8 4-6 0-4", "0-4 4-8"},
    {"OverlapsWhatWasHandedOn", "0-4 2-6", "0-4 4-6"},
    {"OverlapsWhatWaits", "4-8 0-6", "0-6 6-8"},
    {"CoversWhatWaits", "4-6 0-8", "0-8"},
    {"TwoThatWaitOverlap", "4-8 6-10 0-4", "0-4 4-8 8-10"},
    {"BeforeTheFirst", "0-4 4-8 2-3", "0-4 4-8"},
    {"HoleThatIsWaitedFor", "0-4 8-12 12-16", "0-4"},
    {"TwoHoles", "0-2 4-6 8-10 2-4", "0-2 2-4 4-6"},
    {"HoleGivenUpByAcknowledgement", "0-4 8-12 a12", "0-4 8-12"},
    {"HoleGivenUpExactly", "0-4 8-12 a8", "0-4 8-12"},
    {"HoleNotAcknowledged", "0-4 8-12 a7", "0-4"},
    {"AcknowledgedBeforeItIsSeen", "0-4 a8 8-12", "0-4 8-12"},
    {"OnlyTheFirstHoleAcknowledged", "0-4 8-10 12-14 a8", "0-4 8-10"},
    {"AcknowledgementsGoBack", "0-4 a8 a2 8-12", "0-4 8-12"},
    {"LateAfterGivingUp", "0-4 8-12 a12 4-8", "0-4 8-12"},
    {"TheEnd", "0-4 8-10 12-14 !", "0-4 8-10 12-14"},
    {"TheEndTwice", "0-4 8-10 ! !", "0-4 8-10"},
};

// The sequence numbers start at several values, so that they wrap at every possible place.
TEST(ReassemblyTest, EachByteOnceAndInOrder) {
  for (const Row& row : kRows) {
    for (const uint32_t first : {0u, 1000u, 0x7ffffffcu, 0xfffffff0u, 0xfffffffcu, 0xffffffffu}) {
      SCOPED_TRACE(fmt::format("{} from {:#x}", row.name, first));
      Play play(first);
      EXPECT_EQ(play.Run(row.in), row.out);
    }
  }
}

TEST(ReassemblyTest, NothingWaitsWhereNothingIsMissing) {
  Play play(7);
  play.Run("0-4 8-12 4-8");
  EXPECT_EQ(play.reassembly.waiting_bytes(), 0u);
  play.Run("20-24 24-30 a30");
  EXPECT_EQ(play.reassembly.waiting_bytes(), 0u);
  EXPECT_EQ(play.reassembly.next(), 37u);
}

TEST(ReassemblyTest, SnapLengthKeepsPlaces) {
  Play play(0);
  play.Take(0, 10, 3);
  play.Take(5, 20, 8);   // has the bytes 5 to 13; 0 to 10 were taken before
  play.Take(30, 40, 0);  // waits
  play.Take(20, 30, 10);
  EXPECT_EQ(play.out, "0-10?3 10-20?3 20-30 30-40?0");
}

// Bytes that waited for a late segment have the time of that segment. Bytes behind a hole that the
// capture missed keep their own time.
TEST(ReassemblyTest, Times) {
  Play late(0);
  late.Run("4-8 8-12 0-4");
  EXPECT_EQ(late.times, (std::vector<uint64_t>{3, 3, 3}));
  Play missed(0);
  missed.Run("0-4 8-12 16-20 a20");
  EXPECT_EQ(missed.times, (std::vector<uint64_t>{1, 2, 3}));
}

TEST(ReassemblyTest, BoundedMemory) {
  constexpr size_t kLimit = 4096;
  Play play(0, kLimit);
  play.Take(0, 1);
  // The byte at 1 never comes.
  for (size_t i = 0; i < 1000; i++) {
    play.Take(2 + i * 4, 3 + i * 4);
    ASSERT_LE(play.reassembly.waiting_bytes(), kLimit);
  }
  EXPECT_TRUE(play.out.starts_with("0-1 2-3 6-7 ")) << play.out.substr(0, 40);
  EXPECT_GT(play.reassembly.waiting_bytes(), kLimit / 2) << "given up too early";
}

// Segments with random cuts, overlaps, repetitions and order: in the end every byte came once.
TEST(ReassemblyTest, AnyOrder) {
  std::mt19937 random(7143);
  for (int round = 0; round < 500; round++) {
    constexpr size_t kBytes = 200;
    std::vector<std::pair<size_t, size_t>> segments;
    for (size_t at = 0; at < kBytes;) {
      const size_t to = std::min(kBytes, at + 1 + random() % 20);
      const size_t from = at - std::min<size_t>(at, random() % 8);
      for (size_t copies = 0; copies <= random() % 2; copies++) segments.emplace_back(from, to);
      at = to;
    }
    std::shuffle(segments.begin(), segments.end(), random);
    Play play(0xffffff80);
    for (const auto& [from, to] : segments) play.Take(from, to);
    ASSERT_EQ(play.reassembly.next(), play.Seq(kBytes)) << "round " << round;
    ASSERT_EQ(play.reassembly.waiting_bytes(), 0u);
    size_t at = 0;
    std::istringstream pieces(play.out);
    size_t from = 0, to = 0;
    char dash = 0;
    for (; pieces >> from >> dash >> to; at = to) ASSERT_EQ(from, at) << play.out;
    ASSERT_EQ(at, kBytes);
  }
}

TEST(ReassemblyTest, IsPast) {
  Play play(0xfffffffe);
  play.Run("0-4");
  EXPECT_TRUE(play.reassembly.IsPast(play.Seq(4)));
  EXPECT_FALSE(play.reassembly.IsPast(play.Seq(5)));
  play.Acknowledge(9);
  EXPECT_TRUE(play.reassembly.IsPast(play.Seq(9)));
  EXPECT_FALSE(play.reassembly.IsPast(play.Seq(10)));
}

}  // namespace
}  // namespace lunscope
