// SPDX-License-Identifier: Apache-2.0
//
// Blocks of a pcapng file. A file has sections, each with a byte order and interfaces of its own;
// an interface has a link type, a snap length and a unit of time.
#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

#include "collector/base/clock.h"
#include "collector/replay/byte_stream.h"
#include "collector/replay/packet_reader.h"

namespace lunscope {
namespace {

constexpr uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr uint32_t kInterface = 1;
constexpr uint32_t kObsoletePacket = 2;
constexpr uint32_t kSimplePacket = 3;
constexpr uint32_t kEnhancedPacket = 6;

constexpr uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr uint16_t kMajorVersion = 1;
constexpr size_t kBlockHeaderBytes = 8;   // type and length
constexpr size_t kBlockTrailerBytes = 4;  // the length again
// A packet of the longest snap length, with options. More is not believed.
constexpr size_t kMaxBlockBytes = size_t{16} << 20;
constexpr size_t kMaxInterfaces = 65536;

constexpr uint16_t kEndOfOptions = 0;
constexpr uint16_t kTimeResolution = 9;
constexpr uint16_t kTimeOffset = 14;

struct Interface {
  int link_type = 0;
  uint32_t snap_bytes = 0;  // 0: no limit
  uint64_t units_per_second = 1'000'000;
  uint64_t offset_seconds = 0;
};

class PcapngReader : public PacketReader {
 public:
  explicit PcapngReader(ByteStream& bytes) : bytes_(bytes), file_(bytes.OpenFile()) {}
  ~PcapngReader() override { std::fclose(file_); }
  PcapngReader(const PcapngReader&) = delete;
  PcapngReader& operator=(const PcapngReader&) = delete;

  bool Next(CapturedPacket* packet) override {
    uint32_t type = 0;
    while (damage_.empty() && ReadBlock(&type)) {
      if (TakeBlock(type, packet)) return true;
    }
    return false;
  }
  [[nodiscard]] const std::string& damage() const override { return damage_; }

 private:
  bool Damage(std::string what) {
    damage_ = std::move(what);
    return false;
  }
  // False: the file ends here, well or not.
  bool ReadExactly(uint8_t* to, size_t bytes, bool may_end) {
    const size_t count = std::fread(to, 1, bytes, file_);
    if (count == bytes) return true;
    if (!bytes_.error().empty()) return Damage(bytes_.error());
    if (count == 0 && may_end) return false;
    return Damage(
        fmt::format("truncated block: {} bytes are there, {} are not", count, bytes - count));
  }

  [[nodiscard]] uint16_t Number16(size_t at) const {
    const auto first = block_[at];
    const auto second = block_[at + 1];
    return static_cast<uint16_t>(is_little_ ? first | second << 8 : first << 8 | second);
  }
  [[nodiscard]] uint32_t Number32(size_t at) const {
    const uint32_t first = Number16(at);
    const uint32_t second = Number16(at + 2);
    return is_little_ ? first | second << 16 : first << 16 | second;
  }

  // Leaves the body of the next block in block_.
  bool ReadBlock(uint32_t* type) {
    block_.resize(kBlockHeaderBytes + sizeof(kByteOrderMagic));
    if (!ReadExactly(block_.data(), kBlockHeaderBytes, true)) return false;
    size_t have = kBlockHeaderBytes;
    // This type reads the same in either byte order. Its magic number says which one follows.
    is_section_ = std::memcmp(block_.data(), kPcapngMagic, sizeof(uint32_t)) == 0;
    if (is_section_) {
      if (!ReadExactly(&block_[have], sizeof(kByteOrderMagic), false)) return false;
      is_little_ = true;
      is_little_ = Number32(have) == kByteOrderMagic;
      if (Number32(have) != kByteOrderMagic)
        return Damage("a section without its byte order magic");
      have += sizeof(kByteOrderMagic);
    }
    *type = Number32(0);
    const size_t length = Number32(4);
    if (length < have + kBlockTrailerBytes || length % 4 != 0 || length > kMaxBlockBytes)
      return Damage(fmt::format("a block of {} bytes", length));
    block_.resize(length);
    if (!ReadExactly(&block_[have], length - have, false)) return false;
    if (Number32(length - kBlockTrailerBytes) != length)
      return Damage(fmt::format("a block of {} bytes that ends with the length {}", length,
                                Number32(length - kBlockTrailerBytes)));
    return true;
  }

  // True: it is a packet. Blocks of other kinds are passed over.
  bool TakeBlock(uint32_t type, CapturedPacket* packet) {
    switch (type) {
      case kSectionHeader: return TakeSection();
      case kInterface: return TakeInterface();
      case kEnhancedPacket:
        return HasBody(20) && TakePacket(Number32(8), Number32(12), Number32(16), Number32(20),
                                         Number32(24), 28, packet);
      case kObsoletePacket:
        return HasBody(20) && TakePacket(Number16(8), Number32(12), Number32(16), Number32(20),
                                         Number32(24), 28, packet);
      case kSimplePacket: return HasBody(4) && TakeSimplePacket(packet);
      default: return false;
    }
  }

  bool TakeSection() {
    if (!HasBody(16)) return false;
    if (Number16(12) != kMajorVersion)
      return Damage(fmt::format("a section of pcapng version {}.{}", Number16(12), Number16(14)));
    interfaces_.clear();
    return false;
  }

  bool HasBody(size_t bytes) {
    if (block_.size() >= kBlockHeaderBytes + bytes + kBlockTrailerBytes) return true;
    return Damage(fmt::format("a block of type {} of {} bytes", Number32(0), block_.size()));
  }

  bool TakeInterface() {
    if (!HasBody(8)) return false;
    if (interfaces_.size() >= kMaxInterfaces) return Damage("too many interfaces");
    Interface interface;
    interface.link_type = DltOf(Number16(8));
    interface.snap_bytes = Number32(12);
    const size_t end = block_.size() - kBlockTrailerBytes;
    for (size_t at = 16; at + 4 <= end;) {
      const uint16_t code = Number16(at);
      const size_t length = Number16(at + 2);
      if (code == kEndOfOptions || at + 4 + length > end) break;
      if (code == kTimeResolution && length == 1) SetResolution(block_[at + 4], &interface);
      if (code == kTimeOffset && length == 8) {
        const uint64_t first = Number32(at + 4);
        const uint64_t second = Number32(at + 8);
        interface.offset_seconds = is_little_ ? second << 32 | first : first << 32 | second;
      }
      at += 4 + (length + 3) / 4 * 4;
    }
    interfaces_.push_back(interface);
    return false;
  }

  // A negative power of 2 or of 10. The finest unit that is kept is 2^-63 or 10^-19 seconds.
  static void SetResolution(uint8_t resolution, Interface* interface) {
    const uint8_t exponent = resolution & 0x7f;
    if ((resolution & 0x80) != 0) {
      interface->units_per_second = uint64_t{1} << std::min<uint8_t>(exponent, 63);
      return;
    }
    interface->units_per_second = 1;
    for (int i = 0; i < std::min<uint8_t>(exponent, 19); i++) interface->units_per_second *= 10;
  }

  // LINKTYPE_* of files are DLT_* of libpcap, but for these.
  static int DltOf(uint16_t link_type) {
    switch (link_type) {
      case 100: return DLT_ATM_RFC1483;
      case 101: return DLT_RAW;
      case 104: return DLT_C_HDLC;
      case 50: return DLT_PPP_SERIAL;
      case 51: return DLT_PPP_ETHER;
      case 108: return DLT_LOOP;
      default: return link_type;
    }
  }

  bool TakePacket(uint32_t interface_number, uint32_t high, uint32_t low, uint32_t captured_bytes,
                  uint32_t wire_bytes, size_t at, CapturedPacket* packet) {
    if (interface_number >= interfaces_.size())
      return Damage(
          fmt::format("a packet of interface {} of {}", interface_number, interfaces_.size()));
    const Interface& interface = interfaces_[interface_number];
    time_ns_ = TimeNs(interface, uint64_t{high} << 32 | low);
    packet->interface = interface_number;
    return Give(interface, captured_bytes, wire_bytes, at, packet);
  }

  // It has no time: that of the packet before it stands.
  bool TakeSimplePacket(CapturedPacket* packet) {
    if (interfaces_.empty()) return Damage("a packet without an interface");
    const Interface& interface = interfaces_.front();
    packet->interface = 0;
    const uint32_t wire_bytes = Number32(8);
    uint32_t captured =
        interface.snap_bytes == 0 ? wire_bytes : std::min(wire_bytes, interface.snap_bytes);
    return Give(interface, captured, wire_bytes, 12, packet);
  }

  bool Give(const Interface& interface, uint32_t captured_bytes, uint32_t wire_bytes, size_t at,
            CapturedPacket* packet) {
    if (captured_bytes > block_.size() - kBlockTrailerBytes - at)
      return Damage(
          fmt::format("a packet of {} bytes in a block of {}", captured_bytes, block_.size()));
    packet->time_ns = time_ns_;
    packet->link_type = interface.link_type;
    packet->captured = std::span(block_).subspan(at, captured_bytes);
    packet->wire_bytes = std::max(wire_bytes, captured_bytes);
    return true;
  }

  static uint64_t TimeNs(const Interface& interface, uint64_t units) {
    const uint64_t seconds = units / interface.units_per_second + interface.offset_seconds;
    const auto rest = static_cast<unsigned __int128>(units % interface.units_per_second);
    return seconds * kNsPerSecond +
           static_cast<uint64_t>(rest * kNsPerSecond / interface.units_per_second);
  }

  ByteStream& bytes_;
  std::FILE* const file_;
  std::vector<uint8_t> block_;
  bool is_section_ = false;
  bool is_little_ = true;
  std::vector<Interface> interfaces_;
  uint64_t time_ns_ = 0;  // of the last packet that has a time
  std::string damage_;
};

}  // namespace

std::unique_ptr<PacketReader> OpenPcapng(ByteStream& bytes) {
  return std::make_unique<PcapngReader>(bytes);
}

}  // namespace lunscope
