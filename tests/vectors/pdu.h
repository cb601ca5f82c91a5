// SPDX-License-Identifier: Apache-2.0
//
// Build PDUs field by field: DataIn(itt, 0, Bytes(512)).Status(0).Wire().
//
// The offsets are typed in from RFC 7143 section 11. include/lunscope is not used on purpose: a
// test then compares two readings of the RFC.
#pragma once

#include <utility>

#include "tests/vectors/bytes.h"

namespace lunscope {

struct Digests {
  bool header = false;
  bool data = false;
};
inline constexpr Digests kNoDigests;

class Pdu {
 public:
  // A PDU of the target has a wide command window: MaxCmdSN 65535.
  Pdu(uint8_t opcode, uint8_t flags) : bhs_(48) {
    Set(0, opcode).Set(1, flags);
    if (opcode & 0x20) Set32(32, 65535);
  }

  Pdu& Set(size_t offset, uint8_t value) {
    bhs_[offset] = value;
    return *this;
  }
  Pdu& Set16(size_t offset, uint16_t value) {
    return Set(offset, static_cast<uint8_t>(value >> 8)).Set(offset + 1, value & 0xff);
  }
  Pdu& Set32(size_t offset, uint32_t value) {
    return Set16(offset, static_cast<uint16_t>(value >> 16)).Set16(offset + 2, value & 0xffff);
  }
  Pdu& Set64(size_t offset, uint64_t value) {
    return Set32(offset, static_cast<uint32_t>(value >> 32))
        .Set32(offset + 4, static_cast<uint32_t>(value));
  }
  Pdu& SetBytes(size_t offset, const Bytes& value) {
    for (size_t i = 0; i < value.size(); i++) Set(offset + i, value[i]);
    return *this;
  }

  Pdu& Flags(uint8_t flags) { return Set(1, flags); }
  Pdu& Lun(uint64_t lun) { return Set64(8, lun); }
  Pdu& Itt(uint32_t itt) { return Set32(16, itt); }
  Pdu& Response(uint8_t response) { return Set(2, response); }
  Pdu& Status(uint8_t status) { return Set(3, status); }
  Pdu& BidiResidual(uint32_t bytes) { return Set32(40, bytes); }
  Pdu& Residual(uint32_t bytes) { return Set32(44, bytes); }

  // REQUIRES: whole words of four bytes, at most 255.
  Pdu& Ahs(Bytes ahs) {
    ahs_ = std::move(ahs);
    return Set(4, static_cast<uint8_t>(ahs_.size() / 4));
  }
  Pdu& Data(Bytes data) {
    data_ = std::move(data);
    return DataSegmentLength(static_cast<uint32_t>(data_.size()));
  }
  // Sets the length alone. The caller sends the data apart, or never.
  Pdu& DataSegmentLength(uint32_t bytes) {
    return Set(5, static_cast<uint8_t>(bytes >> 16)).Set16(6, bytes & 0xffff);
  }
  // SenseLength, then the sense (RFC 7143 section 11.4.7).
  Pdu& Sense(const Bytes& sense) {
    return Data(Join(
        {{static_cast<uint8_t>(sense.size() >> 8), static_cast<uint8_t>(sense.size())}, sense}));
  }

  Bytes Wire(Digests digests = kNoDigests) const {
    Bytes header = Join({bhs_, ahs_});
    Bytes data = data_;
    data.resize((data.size() + 3) / 4 * 4);
    Bytes header_digest = digests.header ? Crc32c(header) : Bytes{};
    Bytes data_digest = digests.data && !data.empty() ? Crc32c(data) : Bytes{};
    return Join({header, header_digest, data, data_digest});
  }

  operator Bytes() const { return Wire(); }  // NOLINT: a PDU is what it looks like on the wire

 private:
  Bytes bhs_;
  Bytes ahs_;
  Bytes data_;
};

// By default F is set, or T in a login PDU.
inline constexpr uint8_t kFinal = 0x80;
inline constexpr uint8_t kContinue = 0x40;
inline constexpr uint8_t kToFullFeature = 0x87;  // T, CSG 1, NSG 3
inline constexpr uint8_t kOperational = 0x04;    // CSG 1, no transit
inline constexpr uint8_t kSecurity = 0x00;       // CSG 0, no transit
inline constexpr uint8_t kReadFlags = 0xc1;      // F, R, SIMPLE
inline constexpr uint8_t kWriteFlags = 0xa1;     // F, W, SIMPLE
inline constexpr uint8_t kNoDataFlags = 0x81;    // F, SIMPLE
inline constexpr uint8_t kDataInStatus = 0x81;   // F, S
inline constexpr uint32_t kReservedTag = 0xffffffff;

inline Pdu LoginRequest(const Bytes& text = {}, uint8_t flags = kToFullFeature) {
  return Pdu(0x43, flags).SetBytes(8, FromHex("00023d000001")).Data(text);
}
inline Pdu LoginResponse(const Bytes& text = {}, uint8_t flags = kToFullFeature) {
  return Pdu(0x23, flags).SetBytes(8, FromHex("00023d000001")).Set16(14, 1).Data(text);
}
inline Pdu TextRequest(const Bytes& text, uint8_t flags = kFinal) {
  return Pdu(0x04, flags).Itt(0x7e).Set32(20, kReservedTag).Data(text);
}
inline Pdu TextResponse(const Bytes& text, uint8_t flags = kFinal) {
  return Pdu(0x24, flags).Itt(0x7e).Set32(20, kReservedTag).Data(text);
}
inline Pdu ScsiCommand(uint32_t itt, const Bytes& cdb, uint32_t expected_bytes = 0,
                       uint8_t flags = kNoDataFlags) {
  return Pdu(0x01, flags).Itt(itt).Set32(20, expected_bytes).Set32(24, itt).SetBytes(32, cdb);
}
inline Pdu ScsiResponse(uint32_t itt, uint8_t status = 0) {
  return Pdu(0x21, kFinal).Itt(itt).Status(status);
}
inline Pdu DataIn(uint32_t itt, uint32_t offset, const Bytes& data, uint8_t flags = kFinal) {
  return Pdu(0x25, flags).Itt(itt).Set32(20, kReservedTag).Set32(40, offset).Data(data);
}
inline Pdu DataOut(uint32_t itt, uint32_t offset, const Bytes& data, uint8_t flags = kFinal) {
  return Pdu(0x05, flags).Itt(itt).Set32(20, kReservedTag).Set32(40, offset).Data(data);
}
inline Pdu R2t(uint32_t itt, uint32_t offset, uint32_t bytes) {
  return Pdu(0x31, kFinal).Itt(itt).Set32(20, 0x22).Set32(40, offset).Set32(44, bytes);
}
inline Pdu NopOut(const Bytes& data = {}) {
  return Pdu(0x40, kFinal).Itt(0x7f).Set32(20, kReservedTag).Data(data);
}
inline Pdu NopIn(const Bytes& data = {}) {
  return Pdu(0x20, kFinal).Itt(0x7f).Set32(20, kReservedTag).Data(data);
}
inline Pdu TaskRequest(uint8_t function, uint32_t referenced_itt) {
  return Pdu(0x42, kFinal | function).Itt(0x7d).Set32(20, referenced_itt);
}
inline Pdu TaskResponse(uint8_t response) { return Pdu(0x22, kFinal).Itt(0x7d).Response(response); }
inline Pdu LogoutRequest() { return Pdu(0x46, kFinal).Itt(0x7c); }
inline Pdu LogoutResponse() { return Pdu(0x26, kFinal).Itt(0x7c); }
inline Pdu AsyncMessage(uint8_t event) {
  return Pdu(0x32, kFinal).Itt(kReservedTag).Set(36, event);
}
inline Pdu Reject(uint8_t reason, const Bytes& header) {
  return Pdu(0x3f, kFinal).Itt(kReservedTag).Response(reason).Data(header);
}

// CDBs that most tests use: eight blocks at LBA 2048, TEST UNIT READY, INQUIRY.
inline Bytes Read10() { return FromHex("28 00 00000800 00 0008 00"); }
inline Bytes Write10() { return FromHex("2a 00 00000800 00 0008 00"); }
inline Bytes TestUnitReady() { return FromHex("00 00 00 00 00 00"); }
inline Bytes Inquiry() { return FromHex("12 00 00 00 60 00"); }

}  // namespace lunscope
