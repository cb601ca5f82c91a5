// SPDX-License-Identifier: Apache-2.0
#include "collector/model/vital_product_data.h"

#include <fmt/format.h>
#include <lunscope/bytes.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "collector/base/printable.h"

namespace lunscope {
namespace {

constexpr size_t kPageHeader = 4;
constexpr size_t kDesignatorHeader = 4;
// A label takes no more of a text. (A SCSI name string has up to 256 bytes.)
constexpr size_t kMaxName = 64;

enum CodeSet : uint8_t { kBinary = 1, kAscii = 2, kUtf8 = 3 };
enum DesignatorType : uint8_t { kT10 = 1, kEui64 = 2, kNaa = 3, kScsiName = 8 };

std::string_view TextOf(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kMaxName)};
}

// The bytes behind the header that belong to this page, as far as they are there.
std::span<const uint8_t> BodyOf(std::span<const uint8_t> page, uint8_t code) {
  if (page.size() < kPageHeader || page[1] != code) return {};
  const size_t bytes = lunscope_be16(page.data() + 2);
  return page.subspan(kPageHeader, std::min(bytes, page.size() - kPageHeader));
}

struct Designator {
  CodeSet code_set;
  uint8_t association;  // 0: with the logical unit
  DesignatorType type;
  std::span<const uint8_t> name;
};

// Take the first designator off the list. False: no whole one is left.
bool TakeDesignator(std::span<const uint8_t>& list, Designator& designator) {
  if (list.size() < kDesignatorHeader) return false;
  const size_t bytes = list[3];
  if (list.size() - kDesignatorHeader < bytes) return false;
  designator = {static_cast<CodeSet>(list[0] & 0x0f), static_cast<uint8_t>(list[1] >> 4 & 0x03),
                static_cast<DesignatorType>(list[1] & 0x0f),
                list.subspan(kDesignatorHeader, bytes)};
  list = list.subspan(kDesignatorHeader + bytes);
  return true;
}

// The higher, the better the name: (the type, what it says further). As the kernel chooses
// (designator_prio(), drivers/scsi/scsi_lib.c): of NAA names a registered one, else the longest.
using Rank = std::pair<int, size_t>;

Rank RankOf(const Designator& designator) {
  const std::span<const uint8_t> name = designator.name;
  if (designator.association != 0 || name.empty()) return {};
  switch (designator.type) {
    case kNaa: return {4, name[0] >> 4};
    case kEui64: return {3, name.size()};
    case kScsiName: return {2, name.size()};
    case kT10: return {1, name.size()};
  }
  return {};
}

std::string InHex(std::string_view prefix, std::span<const uint8_t> bytes) {
  std::string text(prefix);
  for (const uint8_t byte : bytes) fmt::format_to(std::back_inserter(text), "{:02x}", byte);
  return text;
}

// "" if its code set is not one that the type may have.
std::string NameOf(const Designator& designator) {
  const bool is_text = designator.code_set == kAscii || designator.code_set == kUtf8;
  const std::span<const uint8_t> name = designator.name;
  switch (designator.type) {
    case kNaa:
      return designator.code_set == kBinary && name.size() <= 16 ? InHex("naa.", name) : "";
    case kEui64:
      return designator.code_set == kBinary && name.size() <= 16 ? InHex("eui.", name) : "";
    case kT10: return is_text ? "t10." + PrintableTrimmed(TextOf(name)) : "";
    case kScsiName: return is_text ? PrintableTrimmed(TextOf(name)) : "";
  }
  return "";
}

}  // namespace

void ReadSerialNumber(std::span<const uint8_t> page, std::string& text) {
  const std::span<const uint8_t> body = BodyOf(page, kUnitSerialNumberPage);
  if (!body.empty()) text = PrintableTrimmed(TextOf(body));
}

void ReadWorldWideName(std::span<const uint8_t> page, std::string& text) {
  std::span<const uint8_t> list = BodyOf(page, kDeviceIdentificationPage);
  Rank best;
  for (Designator designator{}; TakeDesignator(list, designator);) {
    const Rank rank = RankOf(designator);
    if (rank.first == 0 || rank < best) continue;
    std::string name = NameOf(designator);
    if (name.empty()) continue;
    best = rank;
    text = std::move(name);
  }
}

}  // namespace lunscope
