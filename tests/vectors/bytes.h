// SPDX-License-Identifier: Apache-2.0
//
// Byte strings for tests: from hex, joined, cut, and with iSCSI's checksum (CRC32C).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace lunscope {

using Bytes = std::vector<uint8_t>;

inline uint8_t HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<uint8_t>(digit - '0');
  return static_cast<uint8_t>((digit | 0x20) - 'a' + 10);
}

// Ignores blanks and line ends, which are there for the reader.
inline Bytes FromHex(std::string_view hex) {
  Bytes bytes;
  int high = -1;
  for (const char digit : hex) {
    if (digit == ' ' || digit == '\n') continue;
    if (high < 0) {
      high = HexDigit(digit);
    } else {
      bytes.push_back(static_cast<uint8_t>(high << 4 | HexDigit(digit)));
      high = -1;
    }
  }
  return bytes;
}

inline std::string ToHex(const uint8_t* bytes, size_t count) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (size_t i = 0; i < count; i++) {
    hex += kDigits[bytes[i] >> 4];
    hex += kDigits[bytes[i] & 15];
  }
  return hex;
}

inline Bytes ToBytes(std::string_view text) { return {text.begin(), text.end()}; }

inline Bytes Join(std::initializer_list<Bytes> parts) {
  Bytes joined;
  for (const Bytes& part : parts) joined.insert(joined.end(), part.begin(), part.end());
  return joined;
}

inline Bytes Slice(const Bytes& bytes, size_t from, size_t to) {
  return {bytes.begin() + static_cast<ptrdiff_t>(from), bytes.begin() + static_cast<ptrdiff_t>(to)};
}

// CRC32C in the order of the wire: least significant byte first (RFC 7143 section 13.1).
inline Bytes Crc32c(const Bytes& bytes) {
  uint32_t crc = 0xffffffff;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78u : 0);
  }
  crc = ~crc;
  return {static_cast<uint8_t>(crc), static_cast<uint8_t>(crc >> 8),
          static_cast<uint8_t>(crc >> 16), static_cast<uint8_t>(crc >> 24)};
}

// Negotiation text: each "key=value" ends with a NUL (RFC 7143 section 6.1).
inline Bytes Keys(std::initializer_list<std::string_view> pairs) {
  Bytes text;
  for (const std::string_view pair : pairs) {
    text.insert(text.end(), pair.begin(), pair.end());
    text.push_back(0);
  }
  return text;
}

}  // namespace lunscope
