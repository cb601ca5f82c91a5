// SPDX-License-Identifier: Apache-2.0
//
// Packets of a capture file, one after the other: of pcap files with libpcap, and of pcapng files
// with a reader of its own, because libpcap refuses a pcapng file whose interfaces differ in link
// type or snap length. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "collector/base/result.h"

namespace lunscope {

class ByteStream;

struct CapturedPacket {
  uint64_t time_ns = 0;
  int link_type = 0;                  // DLT_* of libpcap
  std::span<const uint8_t> captured;  // good until the next packet is read
  uint32_t wire_bytes = 0;
  uint32_t interface = 0;  // its number in the file, where files have several
};

class PacketReader {
 public:
  // bytes: outlives the reader. The error says what the file is not.
  static Result<std::unique_ptr<PacketReader>> Open(ByteStream& bytes, const std::string& path);

  virtual ~PacketReader() = default;

  // False: there are no more.
  virtual bool Next(CapturedPacket* packet) = 0;
  // REQUIRES: Next() returned false. Why the file ends in the middle of a packet, or what there is
  // instead of one; "": it ends well.
  [[nodiscard]] virtual const std::string& damage() const = 0;
};

// pcapng (draft-ietf-opsawg-pcapng). REQUIRES: the file begins with a Section Header Block.
std::unique_ptr<PacketReader> OpenPcapng(ByteStream& bytes);
inline constexpr char kPcapngMagic[] = "\x0a\x0d\x0d\x0a";

}  // namespace lunscope
