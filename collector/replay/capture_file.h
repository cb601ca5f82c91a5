// SPDX-License-Identifier: Apache-2.0
//
// A capture file, pcap or pcapng, compressed or not, packet by packet in the order of time. One
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "collector/base/result.h"
#include "collector/replay/byte_stream.h"
#include "collector/replay/packet.h"
#include "collector/replay/packet_sorter.h"

namespace lunscope {

// Counts of the packets that were read so far.
struct CaptureCounts {
  uint64_t packets = 0;
  std::array<uint64_t, kPacketKinds> by_kind{};
  uint64_t cut_payloads = 0;  // segments of which the snap length cut off payload
  SorterCounts order;
};

class CaptureFile {
 public:
  // path: "-" is standard input. The error says what the file is not.
  static Result<std::unique_ptr<CaptureFile>> Open(const std::string& path);

  CaptureFile(const CaptureFile&) = delete;
  CaptureFile& operator=(const CaptureFile&) = delete;

  // The next TCP segment; its payload is good until the next call. False: the file has no more.
  bool Next(TcpSegment* segment);
  // REQUIRES: Next() returned false. The error of a file that ends in the middle of a packet, or
  // goes on with something else than one.
  [[nodiscard]] Status Ended() const;

  [[nodiscard]] CaptureCounts counts() const;
  [[nodiscard]] uint64_t last_time_ns() const { return last_time_ns_; }

 private:
  CaptureFile(std::string path, std::unique_ptr<ByteStream> bytes,
              std::unique_ptr<PacketReader> reader);

  const std::string path_;
  const std::unique_ptr<ByteStream> bytes_;  // the packets read it
  PacketSorter packets_;
  CaptureCounts counts_;
  uint64_t last_time_ns_ = 0;
};

}  // namespace lunscope
