// SPDX-License-Identifier: Apache-2.0
//
// pcapng files block by block, in both byte orders, and files that are damaged. Offsets are typed
// in from draft-ietf-opsawg-pcapng.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "collector/replay/capture_file.h"
#include "tests/replay/frames.h"

namespace lunscope {
namespace {

using ::testing::HasSubstr;

const Bytes kPayload = ToBytes("0123456789");

Bytes Frame() { return Ipv4(Tcp({}, kPayload)); }

// Builds a file in one byte order.
class Ng {
 public:
  explicit Ng(bool is_little = true) : is_little_(is_little) {}

  Bytes N(uint64_t value, size_t bytes) const {
    Bytes number = Number(value, bytes);
    if (is_little_) std::reverse(number.begin(), number.end());
    return number;
  }
  Bytes Block(uint32_t type, Bytes body) const {
    body.resize((body.size() + 3) / 4 * 4);
    const Bytes length = N(12 + body.size(), 4);
    return Join({N(type, 4), length, body, length});
  }
  Bytes Section() const {
    return Block(0x0a0d0d0a, Join({N(0x1a2b3c4d, 4), N(1, 2), N(0, 2), Bytes(8, 0xff)}));
  }
  Bytes Interface(uint16_t link_type, uint32_t snap = 0, const Bytes& options = {}) const {
    return Block(1, Join({N(link_type, 2), N(0, 2), N(snap, 4), options}));
  }
  Bytes Option(uint16_t code, Bytes value) const {
    const size_t bytes = value.size();
    value.resize((bytes + 3) / 4 * 4);
    return Join({N(code, 2), N(bytes, 2), value});
  }
  Bytes Packet(uint32_t interface, uint64_t time, const Bytes& frame, size_t wire_bytes = 0) const {
    return Block(6, Join({N(interface, 4), N(time >> 32, 4), N(time & 0xffffffff, 4),
                          N(frame.size(), 4), N(std::max(wire_bytes, frame.size()), 4), frame}));
  }

 private:
  bool is_little_;
};

class PcapngTest : public ::testing::Test {
 protected:
  PcapngTest() : path_(::testing::TempDir() + "lunscope-pcapng-test.pcapng") {}
  ~PcapngTest() override { std::filesystem::remove(path_); }

  struct Read {
    std::vector<uint64_t> times_ns;
    std::vector<uint32_t> payload_bytes;
    std::string error;
    CaptureCounts counts;
  };

  Read ReadAll(const Bytes& bytes) {
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    Read read;
    Result<std::unique_ptr<CaptureFile>> capture = CaptureFile::Open(path_);
    if (!capture.ok()) {
      read.error = capture.error().message;
      return read;
    }
    TcpSegment segment;
    while (capture.value()->Next(&segment)) {
      read.times_ns.push_back(segment.time_ns);
      read.payload_bytes.push_back(static_cast<uint32_t>(segment.payload.size()));
    }
    const Status ended = capture.value()->Ended();
    if (!ended.ok()) read.error = ended.error().message;
    read.counts = capture.value()->counts();
    return read;
  }

  const std::string path_;
};

TEST_F(PcapngTest, EitherByteOrder) {
  for (const bool is_little : {true, false}) {
    const Ng ng(is_little);
    const Read read = ReadAll(Join({ng.Section(), ng.Interface(1), ng.Block(0xbad, Bytes(20)),
                                    ng.Packet(0, 1'700'000'000'000'001, Ethernet(Frame()))}));
    EXPECT_EQ(read.error, "");
    EXPECT_THAT(read.times_ns, ::testing::ElementsAre(1'700'000'000'000'001'000));
    EXPECT_THAT(read.payload_bytes, ::testing::ElementsAre(kPayload.size()));
  }
}

// libpcap refuses each of these files.
TEST_F(PcapngTest, InterfacesThatDiffer) {
  const Ng ng;
  const Bytes frame = Ethernet(Frame());
  const Read read = ReadAll(Join({ng.Section(), ng.Interface(1, 65535), ng.Interface(1, 96),
                                  ng.Interface(101), ng.Interface(220), ng.Packet(0, 1, frame),
                                  ng.Packet(1, 2, Slice(frame, 0, 60), frame.size()),
                                  ng.Packet(2, 3, Frame()), ng.Packet(3, 4, Bytes(64))}));
  EXPECT_EQ(read.error, "");
  EXPECT_THAT(read.payload_bytes, ::testing::ElementsAre(10, 6, 10));
  EXPECT_EQ(read.counts.by_kind[static_cast<size_t>(PacketKind::kUnknownLink)], 1u);
  EXPECT_EQ(read.counts.cut_payloads, 1u);
}

// A section has its own byte order and its own interfaces.
TEST_F(PcapngTest, SeveralSections) {
  const Ng first(true);
  const Ng second(false);
  const Read read =
      ReadAll(Join({first.Section(), first.Interface(1), first.Packet(0, 1, Ethernet(Frame())),
                    second.Section(), second.Interface(101), second.Packet(0, 2, Frame())}));
  EXPECT_EQ(read.error, "");
  EXPECT_THAT(read.times_ns, ::testing::ElementsAre(1000, 2000));
}

TEST_F(PcapngTest, UnitsOfTime) {
  const Ng ng;
  const struct {
    Bytes options;
    uint64_t time;
    uint64_t time_ns;
  } kRows[] = {
      {{}, 1'000'001, 1'000'001'000},
      {ng.Option(9, {9}), 1'000'000'001, 1'000'000'001},
      {ng.Option(9, {3}), 1'001, 1'001'000'000},
      {ng.Option(9, {0}), 7, 7'000'000'000},
      {ng.Option(9, {12}), 1'000'000'000'123, 1'000'000'000},
      {ng.Option(9, {0x80 | 10}), 1024 + 512, 1'500'000'000},
      {Join({ng.Option(2, ToBytes("eth0")), ng.Option(9, {6}), ng.Option(14, ng.N(100, 8)),
             ng.Option(0, {})}),
       1'000'000, 101'000'000'000},
      // A seconds count that 32 bits do not hold.
      {ng.Option(9, {0}), 5'000'000'000, 5'000'000'000'000'000'000},
  };
  for (const auto& row : kRows) {
    const Read read = ReadAll(
        Join({ng.Section(), ng.Interface(101, 0, row.options), ng.Packet(0, row.time, Frame())}));
    EXPECT_THAT(read.times_ns, ::testing::ElementsAre(row.time_ns)) << row.time;
  }
}

TEST_F(PcapngTest, OtherKindsOfPackets) {
  const Ng ng;
  const Bytes frame = Frame();
  const Bytes simple = ng.Block(3, Join({ng.N(frame.size(), 4), frame}));
  const Bytes cut = ng.Block(3, Join({ng.N(frame.size() + 500, 4), frame}));
  const Bytes old = ng.Block(2, Join({ng.N(0, 2), ng.N(0, 2), ng.N(0, 4), ng.N(9, 4),
                                      ng.N(frame.size(), 4), ng.N(frame.size(), 4), frame}));
  const Read read = ReadAll(Join({ng.Section(), ng.Interface(101), old, simple}));
  EXPECT_EQ(read.error, "");
  EXPECT_THAT(read.times_ns, ::testing::ElementsAre(9000, 9000));
  const auto snap = static_cast<uint32_t>(frame.size());
  EXPECT_THAT(ReadAll(Join({ng.Section(), ng.Interface(101, snap), cut})).payload_bytes,
              ::testing::ElementsAre(kPayload.size()));
}

TEST_F(PcapngTest, Damaged) {
  const Ng ng;
  const Bytes good = Join({ng.Section(), ng.Interface(101), ng.Packet(0, 1, Frame())});
  const struct {
    const char* error;
    Bytes rest;
  } kRows[] = {
      {"truncated after packet 1", Slice(ng.Packet(0, 1, Frame()), 0, 30)},
      {"truncated after packet 1", {6, 0, 0}},
      {"a block of 7 bytes", Join({ng.N(6, 4), ng.N(7, 4)})},
      {"a block of 4294967292 bytes", Join({ng.N(6, 4), ng.N(0xfffffffc, 4)})},
      {"ends with the length 20", Join({ng.N(0xbad, 4), ng.N(16, 4), Bytes(4), ng.N(20, 4)})},
      {"a packet of interface 1 of 1", ng.Packet(1, 1, Frame())},
      {"a packet of 4096 bytes in a block",
       ng.Block(6, Join({Bytes(12), ng.N(4096, 4), Bytes(4)}))},
      {"a block of type 6 of 16 bytes", ng.Block(6, Bytes(4))},
      {"a block of type 1 of 16 bytes", ng.Block(1, Bytes(4))},
      {"without its byte order magic",
       Join({ng.N(0x0a0d0d0a, 4), ng.N(28, 4), ng.N(0x12345678, 4), Bytes(16)})},
  };
  for (const auto& row : kRows) {
    const Read read = ReadAll(Join({good, row.rest}));
    EXPECT_THAT(read.error, HasSubstr(row.error));
    EXPECT_THAT(read.error, HasSubstr("after packet 1"));
    EXPECT_EQ(read.times_ns.size(), 1u);
  }
  EXPECT_THAT(ReadAll(Join({ng.Section(), ng.Packet(0, 1, Frame())})).error,
              HasSubstr("a packet of interface 0 of 0"));
}

// Any bytes: the reader ends, and says one line.
TEST_F(PcapngTest, EveryMutationEnds) {
  std::mt19937 random(3260);
  const Ng ng;
  const Bytes good = Join({ng.Section(), ng.Interface(1, 96, ng.Option(9, {9})), ng.Interface(101),
                           ng.Packet(0, 1, Ethernet(Frame())), ng.Packet(1, 2, Frame()),
                           ng.Block(3, Join({ng.N(50, 4), Frame()}))});
  for (int i = 0; i < 2000; i++) {
    Bytes bytes = good;
    for (size_t n = random() % 4; n > 0; n--)
      bytes[4 + random() % (bytes.size() - 4)] = static_cast<uint8_t>(random());
    bytes.resize(random() % 3 == 0 ? 4 + random() % (bytes.size() - 4) : bytes.size());
    EXPECT_EQ(ReadAll(bytes).error.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace lunscope
