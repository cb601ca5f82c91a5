// SPDX-License-Identifier: Apache-2.0
#include "collector/base/json.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace lunscope::json {
namespace {

struct CodePoint {
  uint32_t value;
  size_t bytes;  // of the text that it takes up
};

constexpr CodePoint kInvalid = {0xfffd, 1};

struct Utf8Form {
  uint8_t lead_mask;
  uint8_t lead;
  uint8_t bytes;
  uint32_t least;  // a lower value in this form is overlong, and so invalid
};

constexpr Utf8Form kUtf8Forms[] = {
    {0x80, 0x00, 1, 0},
    {0xe0, 0xc0, 2, 0x80},
    {0xf0, 0xe0, 3, 0x800},
    {0xf8, 0xf0, 4, 0x10000},
};

bool IsUnicode(uint32_t value) {
  const bool is_surrogate = value >= 0xd800 && value < 0xe000;
  return value <= 0x10ffff && !is_surrogate;
}

// The code point at the front of a text (RFC 3629). REQUIRES: the text is not empty.
CodePoint FirstCodePoint(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text.front());
  for (const Utf8Form& form : kUtf8Forms) {
    if ((lead & form.lead_mask) != form.lead) continue;
    if (text.size() < form.bytes) return kInvalid;
    uint32_t value = lead & static_cast<uint8_t>(~form.lead_mask);
    for (const char next : text.substr(1, form.bytes - 1)) {
      if ((next & 0xc0) != 0x80) return kInvalid;
      value = value << 6 | (next & 0x3f);
    }
    return value >= form.least && IsUnicode(value) ? CodePoint{value, form.bytes} : kInvalid;
  }
  return kInvalid;
}

// \uXXXX, or two of them as a surrogate pair (RFC 8259 section 7).
void AppendEscape(std::string& text, uint32_t code_point) {
  const auto out = std::back_inserter(text);
  if (code_point < 0x10000) {
    fmt::format_to(out, "\\u{:04x}", code_point);
  } else {
    const uint32_t offset = code_point - 0x10000;
    fmt::format_to(out, "\\u{:04x}\\u{:04x}", 0xd800 + (offset >> 10), 0xdc00 + (offset & 0x3ff));
  }
}

}  // namespace

void Container::Separate() {
  assert(!is_nesting_);
  if (!is_empty_) text_ += ',';
  is_empty_ = false;
}

void Container::AppendString(std::string_view value) {
  text_ += '"';
  while (!value.empty()) {
    const char c = value.front();
    size_t bytes = 1;
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (c >= 0x20 && c < 0x7f) {
      text_ += c;
    } else {
      const CodePoint first = FirstCodePoint(value);
      AppendEscape(text_, first.value);
      bytes = first.bytes;
    }
    value.remove_prefix(bytes);
  }
  text_ += '"';
}

void Members::Key(std::string_view key) {
  Separate();
  AppendString(key);
  text_ += ':';
}

void Members::String(std::string_view key, std::string_view value) {
  Key(key);
  AppendString(value);
}

void Members::Number(std::string_view key, uint64_t value) {
  Key(key);
  fmt::format_to(std::back_inserter(text_), "{}", value);
}

void Members::Decimal(std::string_view key, double value, int digits) {
  Key(key);
  if (std::isfinite(value)) {
    fmt::format_to(std::back_inserter(text_), "{:.{}f}", value, digits);
  } else {
    text_ += "null";
  }
}

void Members::Flag(std::string_view key, bool value) {
  Key(key);
  text_ += value ? "true" : "false";
}

void Members::Hex(std::string_view key, std::span<const uint8_t> bytes,
                  std::span<const uint8_t> rest) {
  Key(key);
  text_ += '"';
  for (const std::span<const uint8_t> part : {bytes, rest}) {
    for (const uint8_t byte : part) fmt::format_to(std::back_inserter(text_), "{:02x}", byte);
  }
  text_ += '"';
}

void Elements::String(std::string_view value) {
  Separate();
  AppendString(value);
}

}  // namespace lunscope::json
