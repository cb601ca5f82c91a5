// SPDX-License-Identifier: Apache-2.0
//
// Packets come out in the order of their times, as far as a window allows it.
#include "collector/replay/packet_sorter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lunscope {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kSecond = 1'000'000'000;

struct FakePacket {
  uint64_t time_ns;
  size_t bytes = 1;
};

// The first byte of a packet is its place in the file.
class FakeReader : public PacketReader {
 public:
  explicit FakeReader(std::vector<FakePacket> packets) : packets_(std::move(packets)) {}

  bool Next(CapturedPacket* packet) override {
    if (next_ == packets_.size()) return false;
    bytes_.assign(packets_[next_].bytes, static_cast<uint8_t>(next_));
    *packet = {packets_[next_].time_ns, 1, bytes_, static_cast<uint32_t>(bytes_.size())};
    next_++;
    return true;
  }
  const std::string& damage() const override { return damage_; }

 private:
  std::vector<FakePacket> packets_;
  size_t next_ = 0;
  std::vector<uint8_t> bytes_;
  std::string damage_;
};

struct Sorted {
  std::vector<int> places;
  uint64_t out_of_order;
  uint64_t late;
};

Sorted Sort(std::vector<FakePacket> packets, bool sorts = true) {
  PacketSorter sorter(std::make_unique<FakeReader>(std::move(packets)), sorts);
  Sorted sorted{};
  CapturedPacket packet;
  while (sorter.Next(&packet)) sorted.places.push_back(packet.captured[0]);
  EXPECT_FALSE(sorter.Next(&packet));
  sorted.out_of_order = sorter.counts().out_of_order;
  sorted.late = sorter.counts().late;
  return sorted;
}

TEST(PacketSorter, PutsPacketsInOrder) {
  const Sorted sorted = Sort({{10}, {30}, {20}, {40}, {35}});
  EXPECT_THAT(sorted.places, ElementsAre(0, 2, 1, 4, 3));
  EXPECT_EQ(sorted.out_of_order, 2u);
  EXPECT_EQ(sorted.late, 0u);
}

TEST(PacketSorter, KeepsTheOrderOfTheSameTime) {
  EXPECT_THAT(Sort({{10}, {10}, {5}, {10}, {5}}).places, ElementsAre(2, 4, 0, 1, 3));
}

TEST(PacketSorter, GivesPacketsOfAPipeAtOnce) {
  const Sorted sorted = Sort({{10}, {30}, {20}, {40}}, false);
  EXPECT_THAT(sorted.places, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(sorted.out_of_order, 1u);
  EXPECT_EQ(sorted.late, 1u);
}

// Beyond the window a packet is late: those behind it went out.
TEST(PacketSorter, HasAWindow) {
  const Sorted sorted =
      Sort({{1 * kSecond}, {2 * kSecond}, {3 * kSecond}, {1 * kSecond + 5}, {2 * kSecond + 5}});
  EXPECT_THAT(sorted.places, ElementsAre(0, 1, 3, 4, 2));
  EXPECT_EQ(sorted.out_of_order, 2u);
  EXPECT_EQ(sorted.late, 1u);
}

// Many packets of one time wait, but not without limit.
TEST(PacketSorter, HoldsNoMoreThanItsLimit) {
  constexpr size_t kPacketBytes = size_t{1} << 20;
  PacketSorter sorter(std::make_unique<FakeReader>(std::vector<FakePacket>(100, {1, kPacketBytes})),
                      true);
  CapturedPacket packet;
  size_t given = 0;
  while (sorter.Next(&packet)) {
    EXPECT_LE(sorter.waiting_bytes(), PacketSorter::kMaxWaitingBytes);
    given++;
  }
  EXPECT_EQ(given, 100u);
}

}  // namespace
}  // namespace lunscope
