// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/capture_file.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

namespace lunscope {
namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;

Error Failure(std::string message) { return {ExitCode::kFailure, std::move(message)}; }

std::string LinkTypeName(int link_type) {
  const char* name = pcap_datalink_val_to_name(link_type);
  return name != nullptr ? name : "unknown";
}

// Is there nothing at all? A directory, too, is found out by the first read.
Status CheckFirstByte(std::FILE* file, const std::string& path) {
  const int first = std::fgetc(file);
  if (first != EOF) {
    std::ungetc(first, file);
    return Nothing{};
  }
  if (std::ferror(file) != 0)
    return Failure(fmt::format("cannot read the capture {}: {}", path, std::strerror(errno)));
  return Failure(fmt::format("the capture {} is empty", path));
}

}  // namespace

Result<std::unique_ptr<CaptureFile>> CaptureFile::Open(const std::string& path) {
  std::FILE* file = path == "-" ? stdin : std::fopen(path.c_str(), "rbe");
  if (file == nullptr)
    return Failure(fmt::format("cannot open the capture {}: {}", path, std::strerror(errno)));
  Status readable = CheckFirstByte(file, path);
  if (!readable.ok()) {
    std::fclose(file);
    return readable.error();
  }
  char reason[PCAP_ERRBUF_SIZE] = "";
  pcap* capture =
      pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, reason);
  if (capture == nullptr) {
    std::fclose(file);
    return Failure(
        fmt::format("{} is not a pcap or pcapng capture that can be read: {}", path, reason));
  }
  auto opened = std::make_unique<CaptureFile>(capture, path);
  if (!IsKnownLinkType(opened->link_type_)) {
    return Failure(
        fmt::format("the capture {} has the link type {} ({}): what can be read are "
                    "Ethernet, Linux cooked, BSD loopback and raw IP",
                    path, LinkTypeName(opened->link_type_), opened->link_type_));
  }
  return opened;
}

CaptureFile::CaptureFile(pcap* capture, std::string path)
    : capture_(capture), path_(std::move(path)), link_type_(pcap_datalink(capture)) {}

CaptureFile::~CaptureFile() { pcap_close(capture_); }

bool CaptureFile::Next(TcpSegment* segment) {
  pcap_pkthdr* header = nullptr;
  const uint8_t* bytes = nullptr;
  int result = 0;
  while ((result = pcap_next_ex(capture_, &header, &bytes)) == 1) {
    counts_.packets++;
    // Opened for nanoseconds: they are in the field for microseconds.
    last_time_ns_ = static_cast<uint64_t>(header->ts.tv_sec) * kNsPerSecond +
                    static_cast<uint64_t>(header->ts.tv_usec);
    const PacketKind kind = DecodePacket(link_type_, {bytes, header->caplen}, header->len, segment);
    counts_.by_kind[static_cast<size_t>(kind)]++;
    if (kind != PacketKind::kTcp) continue;
    if (segment->payload.size() < segment->payload_bytes) counts_.cut_payloads++;
    segment->time_ns = last_time_ns_;
    return true;
  }
  if (result == PCAP_ERROR) damage_ = pcap_geterr(capture_);
  return false;
}

Status CaptureFile::Ended() const {
  if (damage_.empty()) return Nothing{};
  const bool is_truncated = std::string_view(damage_).starts_with("truncated");
  return Failure(fmt::format("the capture {} is {} after packet {}: {}", path_,
                             is_truncated ? "truncated" : "damaged", counts_.packets, damage_));
}

}  // namespace lunscope
