// SPDX-License-Identifier: Apache-2.0
//
// A capture whose clock was set back: TCP's numbers say which packet came behind which.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pcap/dlt.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collector/replay/packet_sorter.h"
#include "tests/replay/frames.h"

namespace lunscope {
namespace {

using ::testing::ElementsAreArray;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint32_t kBytes = 10;  // of each payload

struct Packet {
  uint64_t time_ns;
  TcpFields tcp;
  bool is_answer = false;
  uint32_t interface = 0;
  size_t payload_bytes = kBytes;
};

struct Row {
  const char* name;
  std::vector<Packet> packets;
  std::vector<std::pair<int, uint64_t>> given;  // place in the file, time
  uint64_t steps_back = 0;
  uint64_t stepped_back_ns = 0;
  int link_type = DLT_EN10MB;
  bool sorts = true;
};

constexpr TcpFields kAnswer = {.from = kTargetPort, .to = kInitiatorPort, .seq = 2000, .ack = 1010};

Bytes Ip(const Packet& packet) {
  Bytes ip = Ipv4(Tcp(packet.tcp, Bytes(packet.payload_bytes)));
  // Both addresses stand in front of the payload, of four bytes each.
  if (packet.is_answer) std::rotate(ip.begin() + 12, ip.begin() + 16, ip.begin() + 20);
  return ip;
}

// Where the link layer has an address, of which one byte is the packet's place in the file.
size_t AddressAt(int link_type) {
  return link_type == DLT_LINUX_SLL2 ? 12 : link_type == DLT_LINUX_SLL ? 6 : 0;
}

class Reader : public PacketReader {
 public:
  explicit Reader(const Row& row) : row_(row) {}

  bool Next(CapturedPacket* packet) override {
    if (next_ == row_.packets.size()) return false;
    const Packet& from = row_.packets[next_];
    const bool is_cooked = row_.link_type == DLT_LINUX_SLL;
    bytes_ = row_.link_type == DLT_LINUX_SLL2 ? Cooked2(Ip(from))
             : is_cooked                      ? Cooked(Ip(from))
                                              : Ethernet(Ip(from));
    bytes_[AddressAt(row_.link_type)] = static_cast<uint8_t>(next_++);
    if (row_.link_type == DLT_LINUX_SLL2) bytes_[7] = static_cast<uint8_t>(from.interface);
    *packet = {from.time_ns, row_.link_type, bytes_, static_cast<uint32_t>(bytes_.size()),
               row_.link_type == DLT_EN10MB ? from.interface : 0};
    return true;
  }
  const std::string& damage() const override { return damage_; }

 private:
  const Row& row_;
  size_t next_ = 0;
  Bytes bytes_;
  std::string damage_;
};

const Row kRows[] = {
    {"later bytes",
     {{100, {.seq = 1000}}, {60, {.seq = 1010}}, {70, {.seq = 1020}}},
     {{0, 100}, {1, 100}, {2, 110}},
     1,
     40},
    {"an answer",
     {{100, {.seq = 1000}}, {60, kAnswer, true}, {70, {.seq = 1010, .ack = 2010}}},
     {{0, 100}, {1, 100}, {2, 110}},
     1,
     40},
    {"twice",
     {{100, {.seq = 1000}}, {60, {.seq = 1010}}, {30, {.seq = 1020}}},
     {{0, 100}, {1, 100}, {2, 100}},
     2,
     70},
    {"numbers that wrap around",
     {{100, {.seq = 0xfffffffa}}, {60, {.seq = 4}}},
     {{0, 100}, {1, 100}},
     1,
     40},
    {"behind the last of several",
     {{80, {.seq = 1000}}, {100, {.seq = 1010}}, {90, {.seq = 1020}}},
     {{0, 80}, {1, 100}, {2, 100}},
     1,
     10},
    {"by an hour",
     {{3700 * kSecond, {.seq = 1000}}, {100 * kSecond, kAnswer, true}},
     {{0, 3700 * kSecond}, {1, 3700 * kSecond}},
     1,
     3600 * kSecond},
    // The packets of these rows are not in order, and no clock was set.
    {"earlier bytes", {{100, {.seq = 1010}}, {60, {.seq = 1000}}}, {{1, 60}, {0, 100}}},
    {"the same bytes", {{100, {.seq = 1000}}, {60, {.seq = 1000}}}, {{1, 60}, {0, 100}}},
    {"an answer to what came before",
     {{100, {.seq = 1010}}, {60, kAnswer, true}},
     {{1, 60}, {0, 100}}},
    {"an acknowledgement behind an acknowledgement",
     {{100, {.seq = 1000}, false, 0, 0}, {60, kAnswer, true}},
     {{1, 60}, {0, 100}}},
    {"no bytes", {{100, {.seq = 1000}}, {60, {.seq = 1010}, false, 0, 0}}, {{1, 60}, {0, 100}}},
    {"another connection",
     {{100, {.seq = 1000}}, {60, {.from = 40001, .seq = 1010}}},
     {{1, 60}, {0, 100}}},
    {"a connection that begins",
     {{100, {.seq = 1000}}, {60, {.seq = 5000, .flags = kSynFlag}}},
     {{1, 60}, {0, 100}}},
    {"another interface",
     {{100, {.seq = 1000}}, {60, {.seq = 1010}, false, 1}},
     {{1, 60}, {0, 100}}},
    {"an interface without a name",
     {{100, {.seq = 1000}}, {60, {.seq = 1010}}},
     {{1, 60}, {0, 100}},
     0,
     0,
     DLT_LINUX_SLL},
    {"one of several interfaces",
     {{100, {.seq = 1000}, false, 3}, {60, {.seq = 1010}, false, 3}},
     {{0, 100}, {1, 100}},
     1,
     40,
     DLT_LINUX_SLL2},
    {"another one of several interfaces",
     {{100, {.seq = 1000}, false, 3}, {60, {.seq = 1010}, false, 4}},
     {{1, 60}, {0, 100}},
     0,
     0,
     DLT_LINUX_SLL2},
    // Nothing of a pipe waits, and a time does not go back.
    {"a pipe",
     {{100, {.seq = 1000}}, {60, {.seq = 1010}}, {110, {.seq = 1020}}},
     {{0, 100}, {1, 100}, {2, 110}},
     0,
     0,
     DLT_EN10MB,
     false},
    {"a pipe, by seconds",
     {{9 * kSecond, {.seq = 1000}}, {2 * kSecond, {.seq = 1010}}, {3 * kSecond, {.seq = 1020}}},
     {{0, 9 * kSecond}, {1, 9 * kSecond}, {2, 10 * kSecond}},
     1,
     7 * kSecond,
     DLT_EN10MB,
     false},
};

TEST(ClockSteps, AreUndone) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    PacketSorter sorter(std::make_unique<Reader>(row), row.sorts);
    std::vector<std::pair<int, uint64_t>> given;
    CapturedPacket packet;
    while (sorter.Next(&packet)) {
      given.emplace_back(packet.captured[AddressAt(row.link_type)], packet.time_ns);
    }
    EXPECT_THAT(given, ElementsAreArray(row.given));
    EXPECT_EQ(sorter.counts().steps_back, row.steps_back);
    EXPECT_EQ(sorter.counts().stepped_back_ns, row.stepped_back_ns);
  }
}

}  // namespace
}  // namespace lunscope
