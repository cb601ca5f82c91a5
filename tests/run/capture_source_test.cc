// SPDX-License-Identifier: Apache-2.0
//
// A capture as a source: a watcher that takes it in, batch by batch, to its end.
#include "collector/run/capture_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "collector/run/watcher.h"
#include "tests/replay/frames.h"
#include "tests/vectors/pdu.h"
#include "tests/vectors/pdus.h"

namespace lunscope {
namespace {

using ::testing::HasSubstr;

constexpr size_t kFrames = 5000;  // more than a drain reads

class CaptureSourceTest : public ::testing::Test {
 protected:
  CaptureSourceTest() : path_(::testing::TempDir() + "lunscope-capture-source-test.pcap") {}
  ~CaptureSourceTest() override { std::filesystem::remove(path_); }

  void Write(const std::vector<Bytes>& frames) {
    pcap_t* capture =
        pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 262144, PCAP_TSTAMP_PRECISION_NANO);
    pcap_dumper_t* dumper = pcap_dump_open(capture, path_.c_str());
    ASSERT_NE(dumper, nullptr) << pcap_geterr(capture);
    for (size_t i = 0; i < frames.size(); i++) {
      pcap_pkthdr header{};
      header.ts.tv_sec = static_cast<time_t>(1'700'000'000 + i);
      header.caplen = header.len = static_cast<uint32_t>(frames[i].size());
      pcap_dump(reinterpret_cast<u_char*>(dumper), &header, frames[i].data());
    }
    pcap_dump_close(dumper);
    pcap_close(capture);
  }

  std::unique_ptr<CaptureSource> Open() {
    Result<std::unique_ptr<CaptureSource>> opened = CaptureSource::Open({.files = {path_}});
    return opened.ok() ? std::move(opened.value()) : nullptr;
  }

  const std::string path_;
};

TEST_F(CaptureSourceTest, IsDoneAtTheEndOfItsFile) {
  Write(std::vector<Bytes>(kFrames, Ethernet(Ipv4(Tcp({.to = 80}, {})))));
  std::unique_ptr<CaptureSource> source = Open();
  ASSERT_NE(source, nullptr);
  const CaptureSource& capture = *source;
  SourceList sources;
  sources.push_back(std::move(source));
  Watcher watcher(std::move(sources), ModelOptions{});
  watcher.Drain();
  EXPECT_FALSE(watcher.is_done());
  const uint64_t early_ns = capture.NowNs();
  watcher.Drain();
  EXPECT_TRUE(watcher.is_done());
  EXPECT_GT(capture.NowNs(), early_ns);
  EXPECT_EQ(capture.CountsText(), "5000 packets read, 5000 TCP on other ports");
  EXPECT_TRUE(capture.Ended().ok());
  EXPECT_EQ(watcher.EndLine(),
            "0 commands, 0 lost; 0 seen, 0 without a status, 0 in flight, 0 gaps");
  const Observation observation = watcher.Observe();
  EXPECT_TRUE(observation.is_offline);
  EXPECT_TRUE(observation.has_iscsi);
  EXPECT_EQ(observation.now_ns, capture.NowNs());
  EXPECT_EQ(observation.tracked_commands_limit, LUNSCOPE_TRACKED_COMMANDS);
}

// A reader that looks at each second of a capture has it hand on no more than that.
TEST_F(CaptureSourceTest, ReadsUntilATime) {
  constexpr uint64_t kStartNs = 1'700'000'000'000'000'000;
  constexpr uint64_t kSecondNs = 1'000'000'000;
  const Bytes login = LoginRequest();
  std::vector<Bytes> frames = {Ethernet(Ipv4(Tcp({.seq = 999, .flags = kSynFlag}, {})))};
  frames.push_back(Ethernet(Ipv4(Tcp({.seq = 1000, .flags = kAckFlag}, login))));
  Write(frames);
  std::unique_ptr<CaptureSource> source = Open();
  ASSERT_NE(source, nullptr);
  size_t records = 0;
  const auto drain = [&](uint64_t until_ns) {
    source->ReadUntil(until_ns);
    source->Drain([&](const lunscope_record&) { records++; });
  };
  drain(kStartNs - 1);
  EXPECT_EQ(source->waiting_ns(), kStartNs);
  EXPECT_EQ(source->NowNs(), kStartNs - 1);
  EXPECT_EQ(records, 0);
  drain(kStartNs);
  EXPECT_EQ(source->waiting_ns(), kStartNs + kSecondNs);
  const size_t first = records;
  drain(kStartNs + kSecondNs / 2);
  EXPECT_EQ(records, first);
  EXPECT_EQ(source->NowNs(), kStartNs + kSecondNs / 2);
  drain(kStartNs + 2 * kSecondNs);
  EXPECT_GT(records, first);
  EXPECT_EQ(source->waiting_ns(), std::nullopt);
  EXPECT_EQ(source->NowNs(), kStartNs + kSecondNs);
  EXPECT_TRUE(source->is_done());
}

// The packets behind the first batch take away the connections that the walk is among.
TEST_F(CaptureSourceTest, AWalkIsWholeThoughItsHandlerDrains) {
  constexpr int kConnections = 2048;
  std::vector<Bytes> frames;
  const auto add = [&](uint32_t seq, uint8_t flags, const Bytes& payload) {
    for (int i = 0; i < kConnections; i++) {
      const auto port = static_cast<uint16_t>(10'000 + i);
      frames.push_back(Ethernet(Ipv4(Tcp({.from = port, .seq = seq, .flags = flags}, payload))));
    }
  };
  const Bytes login = LoginRequest();
  add(999, kSynFlag, {});
  add(1000, kAckFlag, login);
  add(1000 + static_cast<uint32_t>(login.size()), kRstFlag, {});
  Write(frames);
  std::unique_ptr<CaptureSource> source = Open();
  ASSERT_NE(source, nullptr);
  size_t closed = 0;
  const Source::Handler drained = [&](const lunscope_record& record) {
    if ((record.flags & LUNSCOPE_FLAG_CLOSED) != 0) closed++;
  };
  source->Drain(drained);
  EXPECT_FALSE(source->is_done());
  size_t walked = 0;
  const auto walk = [&](const lunscope_record&) {
    walked++;
    source->Drain(drained);
  };
  EXPECT_TRUE(source->Walk(walk, {}).ok());
  EXPECT_EQ(walked, kConnections);
  EXPECT_EQ(closed, 0);
  while (!source->is_done()) source->Drain(drained);
  EXPECT_EQ(closed, kConnections);
}

TEST_F(CaptureSourceTest, CountsWhatIsNotFollowed) {
  Write({Ethernet(Ipv4({}, {.protocol = 17})), Ethernet({}, 0x0806)});
  std::unique_ptr<CaptureSource> source = Open();
  ASSERT_NE(source, nullptr);
  source->Drain([](const lunscope_record&) {});
  EXPECT_TRUE(source->is_done());
  EXPECT_EQ(source->CountsText(), "2 packets read, 1 not IP, 1 not TCP");
}

// A file in which nothing is found: the hint says what to try.
TEST_F(CaptureSourceTest, HintsAtThePortToWatch) {
  const auto hint = [&](const std::vector<Bytes>& frames) {
    Write(frames);
    std::unique_ptr<CaptureSource> source = Open();
    source->Drain([](const lunscope_record&) {});
    return source->Hint();
  };
  const Bytes login = LoginRequest();
  const auto web = [](uint8_t flags) {
    return Ethernet(Ipv4(Tcp({.from = 50000, .to = 443, .flags = flags}, {})));
  };
  EXPECT_EQ(hint({}), "");
  EXPECT_EQ(hint({web(kSynFlag), web(kAckFlag)}),
            "2 of the TCP packets are on other ports than port 3260, most of them on port 443: try "
            "--port 443");
  EXPECT_EQ(hint({web(kSynFlag), web(kAckFlag), Ethernet(Ipv4(Tcp({.to = 3261}, login)))}),
            "3 of the TCP packets are on other ports than port 3260, most of them on port 3261, "
            "where an iSCSI login was seen: try --port 3261");
}

// Files in a row are one capture, and its times choose a part of it: a frame each second.
TEST_F(CaptureSourceTest, ReadsSeveralFilesAndAPartOfThem) {
  Write(std::vector<Bytes>(100, Ethernet(Ipv4(Tcp({.to = 80}, {})))));
  struct PartRow {
    const char* what;
    std::optional<Moment> from, to;
    const char* counts;
    uint64_t from_ns;
  };
  constexpr uint64_t kStart = 1'700'000'000;
  const PartRow kRows[] = {
      {"all of it", {}, {}, "200 packets read, 200 TCP on other ports", 0},
      {"up to a time", {}, ParseMoment("+9.5s"), "11 packets read, 10 TCP on other ports", 0},
      {"up to a date",
       {},
       ParseMoment("2023-11-14T22:13:29Z"),
       "11 packets read, 10 TCP on other ports",
       0},
      {"from a time on",
       ParseMoment("+5s"),
       {},
       "200 packets read, 200 TCP on other ports",
       kStart + 5},
  };
  for (const PartRow& row : kRows) {
    Result<std::unique_ptr<CaptureSource>> opened =
        CaptureSource::Open({.files = {path_, path_}, .from = row.from, .to = row.to});
    ASSERT_TRUE(opened.ok());
    CaptureSource& source = *opened.value();
    while (!source.is_done()) source.Drain([](const lunscope_record&) {});
    EXPECT_EQ(source.CountsText(), row.counts) << row.what;
    EXPECT_EQ(source.from_ns(), row.from_ns * 1'000'000'000) << row.what;
    EXPECT_TRUE(source.Ended().ok());
  }
}

TEST_F(CaptureSourceTest, HintsAtTimesOutsideOfTheCapture) {
  Write(std::vector<Bytes>(10, Ethernet(Ipv4(Tcp({.to = 80}, {})))));
  struct TimesRow {
    std::optional<Moment> from, to;
    const char* hint;
  };
  const TimesRow kRows[] = {
      {ParseMoment("+1h"),
       {},
       "no packet came after --from 2023-11-14T23:13:20.000000Z: the last one was at "
       "2023-11-14T22:13:29.000000Z"},
      {{},
       ParseMoment("2023-11-14T22:13:00Z"),
       "no packet came before --to 2023-11-14T22:13:00.000000Z: the first one was at "
       "2023-11-14T22:13:20.000000Z"},
  };
  for (const TimesRow& row : kRows) {
    Result<std::unique_ptr<CaptureSource>> opened =
        CaptureSource::Open({.files = {path_}, .from = row.from, .to = row.to});
    ASSERT_TRUE(opened.ok());
    while (!opened.value()->is_done()) opened.value()->Drain([](const lunscope_record&) {});
    EXPECT_EQ(opened.value()->Hint(), row.hint);
  }
}

TEST_F(CaptureSourceTest, AFileThatIsNotThereIsAnError) {
  Result<std::unique_ptr<CaptureSource>> opened =
      CaptureSource::Open({.files = {path_, path_ + ".nowhere"}});
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error().message, HasSubstr("No such file"));
}

}  // namespace
}  // namespace lunscope
