// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/packet_reader.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <cstdio>

#include "collector/base/clock.h"
#include "collector/replay/byte_stream.h"
#include "collector/replay/packet.h"

namespace lunscope {
namespace {

std::string LinkTypeName(int link_type) {
  const char* name = pcap_datalink_val_to_name(link_type);
  return name != nullptr ? name : "unknown";
}

class PcapReader : public PacketReader {
 public:
  explicit PcapReader(pcap* capture) : capture_(capture), link_type_(pcap_datalink(capture)) {}
  ~PcapReader() override { pcap_close(capture_); }
  PcapReader(const PcapReader&) = delete;
  PcapReader& operator=(const PcapReader&) = delete;

  [[nodiscard]] int link_type() const { return link_type_; }

  bool Next(CapturedPacket* packet) override {
    pcap_pkthdr* header = nullptr;
    const uint8_t* bytes = nullptr;
    const int result = pcap_next_ex(capture_, &header, &bytes);
    if (result != 1) {
      if (result == PCAP_ERROR) damage_ = pcap_geterr(capture_);
      return false;
    }
    // The file has 32 bits of seconds. libpcap takes them for a signed number, which ends in 2038.
    const auto seconds = static_cast<uint32_t>(header->ts.tv_sec);
    // Opened for nanoseconds: they are in the field for microseconds.
    packet->time_ns = seconds * kNsPerSecond + static_cast<uint64_t>(header->ts.tv_usec);
    packet->link_type = link_type_;
    packet->captured = {bytes, header->caplen};
    packet->wire_bytes = header->len;
    return true;
  }
  [[nodiscard]] const std::string& damage() const override { return damage_; }

 private:
  pcap* const capture_;
  const int link_type_;
  std::string damage_;
};

Error Failure(std::string message) { return {ExitCode::kFailure, std::move(message)}; }

}  // namespace

Result<std::unique_ptr<PacketReader>> PacketReader::Open(ByteStream& bytes,
                                                         const std::string& path) {
  if (bytes.beginning() == kPcapngMagic) return OpenPcapng(bytes);
  char reason[PCAP_ERRBUF_SIZE] = "";
  std::FILE* file = bytes.OpenFile();
  pcap* capture =
      pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, reason);
  if (capture == nullptr) {
    std::fclose(file);
    return Failure(fmt::format("{} is not a pcap or pcapng capture that can be read: {}", path,
                               bytes.error().empty() ? std::string(reason) : bytes.error()));
  }
  auto reader = std::make_unique<PcapReader>(capture);
  if (!IsKnownLinkType(reader->link_type())) {
    return Failure(fmt::format("the capture {} has the link type {} ({}): what can be read are {}",
                               path, LinkTypeName(reader->link_type()), reader->link_type(),
                               kKnownLinkTypes));
  }
  return std::unique_ptr<PacketReader>(std::move(reader));
}

}  // namespace lunscope
