// SPDX-License-Identifier: Apache-2.0
//
// Capture files that libpcap writes, and files that are damaged or of another kind.
#include "collector/replay/capture_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/replay/frames.h"

namespace lunscope {
namespace {

using ::testing::HasSubstr;

const Bytes kPayload = ToBytes("payload");

class CaptureFileTest : public ::testing::Test {
 protected:
  CaptureFileTest() : path_(::testing::TempDir() + "lunscope-capture-file-test.pcap") {}
  ~CaptureFileTest() override { std::filesystem::remove(path_); }

  struct Packet {
    Bytes frame;
    size_t wire_bytes = 0;  // 0: the whole packet was captured
  };

  // One packet a second; each is a nanosecond later within its second.
  void Write(int link_type, const std::vector<Packet>& packets) {
    pcap_t* capture =
        pcap_open_dead_with_tstamp_precision(link_type, 262144, PCAP_TSTAMP_PRECISION_NANO);
    pcap_dumper_t* dumper = pcap_dump_open(capture, path_.c_str());
    ASSERT_NE(dumper, nullptr) << pcap_geterr(capture);
    for (size_t i = 0; i < packets.size(); i++) {
      pcap_pkthdr header{};
      header.ts.tv_sec = static_cast<time_t>(1'700'000'000 + i);
      header.ts.tv_usec = static_cast<suseconds_t>(123'456'789 + i);
      header.caplen = static_cast<uint32_t>(packets[i].frame.size());
      header.len = static_cast<uint32_t>(std::max(packets[i].wire_bytes, packets[i].frame.size()));
      pcap_dump(reinterpret_cast<u_char*>(dumper), &header, packets[i].frame.data());
    }
    pcap_dump_close(dumper);
    pcap_close(capture);
  }

  void WriteText(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }

  std::string FailsToOpen() {
    Result<std::unique_ptr<CaptureFile>> capture = CaptureFile::Open(path_);
    if (capture.ok()) return "no error";
    EXPECT_EQ(capture.error().code, ExitCode::kFailure);
    EXPECT_EQ(capture.error().message.find('\n'), std::string::npos);
    return capture.error().message;
  }

  std::unique_ptr<CaptureFile> Open() {
    Result<std::unique_ptr<CaptureFile>> capture = CaptureFile::Open(path_);
    EXPECT_TRUE(capture.ok()) << capture.error().message;
    return std::move(capture.value());
  }

  const std::string path_;
};

Bytes Frame() { return Ipv4(Tcp({}, kPayload)); }

TEST_F(CaptureFileTest, EveryLinkType) {
  const struct {
    int link_type;
    Bytes frame;
  } kRows[] = {
      {DLT_EN10MB, Ethernet(Frame())},
      {DLT_EN10MB, Ethernet(Vlan(Frame()), 0x8100)},
      {DLT_LINUX_SLL, Cooked(Frame())},
      {DLT_LINUX_SLL2, Cooked2(Frame())},
      {DLT_NULL, Loopback({2, 0, 0, 0}, Frame())},
      {DLT_LOOP, Loopback({0, 0, 0, 2}, Frame())},
      {DLT_RAW, Frame()},
      {DLT_IPV4, Frame()},
      {DLT_IPV6, Ipv6(Tcp({}, kPayload))},
  };
  for (const auto& [link_type, frame] : kRows) {
    SCOPED_TRACE(pcap_datalink_val_to_name(link_type));
    Write(link_type, {{frame}, {frame}});
    const auto capture = Open();
    TcpSegment segment;
    ASSERT_TRUE(capture->Next(&segment));
    EXPECT_EQ(segment.time_ns, 1'700'000'000'123'456'789u);
    EXPECT_EQ(Bytes(segment.payload.begin(), segment.payload.end()), kPayload);
    ASSERT_TRUE(capture->Next(&segment));
    EXPECT_EQ(segment.time_ns, 1'700'000'001'123'456'790u);
    EXPECT_FALSE(capture->Next(&segment));
    EXPECT_TRUE(capture->Ended().ok());
  }
}

TEST_F(CaptureFileTest, CountsWhatItPassesOver) {
  const Bytes tcp = Ethernet(Frame());
  Write(DLT_EN10MB, {{Ethernet(Bytes(28), 0x0806)},
                     {tcp},
                     {Ethernet(Ipv4(Bytes(8), {.protocol = 17}))},
                     {Ethernet(Ipv4(Bytes(8), {.fragment = 0x2000}))},
                     {Slice(tcp, 0, 40), tcp.size()},
                     {Ethernet(Bytes(20, 0xff))},
                     {Slice(tcp, 0, tcp.size() - 3), tcp.size()}});
  const auto capture = Open();
  TcpSegment segment;
  int segments = 0;
  while (capture->Next(&segment)) segments++;
  EXPECT_EQ(segments, 2);
  const CaptureCounts& counts = capture->counts();
  EXPECT_EQ(counts.packets, 7u);
  EXPECT_EQ(counts.cut_payloads, 1u);
  EXPECT_THAT(counts.by_kind, ::testing::ElementsAre(2, 1, 1, 1, 1, 1, 0));
}

// A file that ends within its second packet: the first packet is read, and then the file is
// truncated.
TEST_F(CaptureFileTest, EndsInTheMiddle) {
  Write(DLT_RAW, {{Frame()}, {Frame()}});
  const size_t whole = std::filesystem::file_size(path_);
  const size_t packet = 16 + Frame().size();
  for (size_t length = whole - 1; length > whole - packet; length--) {
    SCOPED_TRACE(length);
    std::filesystem::resize_file(path_, length);
    const auto capture = Open();
    TcpSegment segment;
    EXPECT_TRUE(capture->Next(&segment));
    EXPECT_FALSE(capture->Next(&segment));
    const Status ended = capture->Ended();
    ASSERT_FALSE(ended.ok());
    EXPECT_THAT(ended.error().message, HasSubstr("is truncated after packet 1: "));
    EXPECT_EQ(ended.error().code, ExitCode::kFailure);
  }
}

TEST_F(CaptureFileTest, GoesOnWithSomethingElse) {
  Write(DLT_RAW, {{Frame()}});
  std::ofstream(path_, std::ios::binary | std::ios::app) << std::string(64, '\xff');
  const auto capture = Open();
  TcpSegment segment;
  EXPECT_TRUE(capture->Next(&segment));
  EXPECT_FALSE(capture->Next(&segment));
  ASSERT_FALSE(capture->Ended().ok());
  EXPECT_THAT(capture->Ended().error().message, HasSubstr("is damaged after packet 1: "));
}

// Compressed by libarchive, as a person compresses a file with gzip, xz, zstd, bzip2 or lz4.
void Compress(const std::string& path, int (*add_filter)(archive*)) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  archive* out = archive_write_new();
  ASSERT_EQ(archive_write_set_format_raw(out), ARCHIVE_OK);
  ASSERT_EQ(add_filter(out), ARCHIVE_OK) << archive_error_string(out);
  ASSERT_EQ(archive_write_open_filename(out, path.c_str()), ARCHIVE_OK);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  ASSERT_EQ(archive_write_header(out, entry), ARCHIVE_OK);
  ASSERT_EQ(archive_write_data(out, bytes.data(), bytes.size()),
            static_cast<la_ssize_t>(bytes.size()));
  archive_entry_free(entry);
  ASSERT_EQ(archive_write_free(out), ARCHIVE_OK);
}

TEST_F(CaptureFileTest, MayBeCompressed) {
  const struct {
    const char* name;
    int (*add_filter)(archive*);
  } kRows[] = {{"gzip", archive_write_add_filter_gzip},
               {"xz", archive_write_add_filter_xz},
               {"zstd", archive_write_add_filter_zstd},
               {"bzip2", archive_write_add_filter_bzip2},
               {"lz4", archive_write_add_filter_lz4}};
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    Write(DLT_RAW, std::vector<Packet>(1000, {Frame()}));
    const size_t plain = std::filesystem::file_size(path_);
    Compress(path_, row.add_filter);
    EXPECT_LT(std::filesystem::file_size(path_), plain);
    auto capture = Open();
    TcpSegment segment;
    while (capture->Next(&segment)) continue;
    EXPECT_EQ(capture->counts().packets, 1000u);
    EXPECT_TRUE(capture->Ended().ok());
    // A part of it is missing.
    std::filesystem::resize_file(path_, std::filesystem::file_size(path_) / 2);
    Result<std::unique_ptr<CaptureFile>> cut = CaptureFile::Open(path_);
    if (!cut.ok()) continue;  // nothing can be read of it; the error is one line
    while (cut.value()->Next(&segment)) continue;
    EXPECT_FALSE(cut.value()->Ended().ok());
  }
}

// The file has 32 bits of seconds, without a sign: they last until 2106.
TEST_F(CaptureFileTest, TimesBeyond2038) {
  Write(DLT_RAW, {{Frame()}});
  std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(24);
  const uint32_t seconds = 4'000'000'000;
  file.write(reinterpret_cast<const char*>(&seconds), sizeof(seconds));
  file.close();
  const auto capture = Open();
  TcpSegment segment;
  ASSERT_TRUE(capture->Next(&segment));
  EXPECT_EQ(segment.time_ns, 4'000'000'000'123'456'789u);
}

TEST_F(CaptureFileTest, NoCapture) {
  EXPECT_THAT(FailsToOpen(), HasSubstr("cannot open the capture"));
  WriteText("");
  EXPECT_THAT(FailsToOpen(), HasSubstr("is empty"));
  WriteText("#!/bin/sh\necho this is no capture\n");
  EXPECT_THAT(FailsToOpen(), HasSubstr("is not a pcap or pcapng capture"));
  WriteText("\xd4\xc3\xb2\xa1");
  EXPECT_THAT(FailsToOpen(), HasSubstr("is not a pcap or pcapng capture"));
  Write(DLT_USB_LINUX, {});
  EXPECT_THAT(FailsToOpen(), HasSubstr("link type USB_LINUX"));
}

TEST_F(CaptureFileTest, NoPackets) {
  Write(DLT_EN10MB, {});
  const auto capture = Open();
  TcpSegment segment;
  EXPECT_FALSE(capture->Next(&segment));
  EXPECT_TRUE(capture->Ended().ok());
  EXPECT_EQ(capture->counts().packets, 0u);
}

}  // namespace
}  // namespace lunscope
