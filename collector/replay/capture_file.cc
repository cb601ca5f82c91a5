// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/capture_file.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace lunscope {

Result<std::unique_ptr<CaptureFile>> CaptureFile::Open(const std::string& path) {
  Result<std::unique_ptr<ByteStream>> bytes = ByteStream::Open(path);
  if (!bytes.ok()) return bytes.error();
  Result<std::unique_ptr<PacketReader>> reader = PacketReader::Open(*bytes.value(), path);
  if (!reader.ok()) return reader.error();
  return std::unique_ptr<CaptureFile>(
      new CaptureFile(path, std::move(bytes.value()), std::move(reader.value())));
}

// A pipe may bring a capture that goes on just now: its packets do not wait.
CaptureFile::CaptureFile(std::string path, std::unique_ptr<ByteStream> bytes,
                         std::unique_ptr<PacketReader> reader)
    : path_(std::move(path)),
      bytes_(std::move(bytes)),
      packets_(std::move(reader), bytes_->is_regular()) {}

bool CaptureFile::Next(TcpSegment* segment) {
  CapturedPacket packet;
  while (packets_.Next(&packet)) {
    counts_.packets++;
    last_time_ns_ = packet.time_ns;
    const PacketKind kind =
        DecodePacket(packet.link_type, packet.captured, packet.wire_bytes, segment);
    counts_.by_kind[static_cast<size_t>(kind)]++;
    if (kind != PacketKind::kTcp) continue;
    if (segment->payload.size() < segment->payload_bytes) counts_.cut_payloads++;
    segment->time_ns = last_time_ns_;
    return true;
  }
  return false;
}

CaptureCounts CaptureFile::counts() const {
  CaptureCounts counts = counts_;
  counts.order = packets_.counts();
  return counts;
}

Status CaptureFile::Ended() const {
  const std::string& damage = packets_.reader().damage();
  if (damage.empty()) return Nothing{};
  const bool is_truncated = std::string_view(damage).starts_with("truncated");
  return Error{ExitCode::kFailure,
               fmt::format("the capture {} is {} after packet {}: {}", path_,
                           is_truncated ? "truncated" : "damaged", counts_.packets, damage)};
}

}  // namespace lunscope
