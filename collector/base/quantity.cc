// SPDX-License-Identifier: Apache-2.0
#include "collector/base/quantity.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace lunscope {
namespace {

struct Unit {
  std::string_view name;
  uint64_t size;
};

// "" comes last: it fits every end of a text.
constexpr Unit kTimeUnits[] = {
    {"us", 1'000},         {"ms", 1'000'000},        {"s", 1'000'000'000},
    {"m", 60'000'000'000}, {"h", 3'600'000'000'000}, {"", 1'000'000'000}};
constexpr Unit kByteUnits[] = {{"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"", 1}};

bool IsDigits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Takes the unit off the end of the text.
template <size_t kUnits>
uint64_t TakeUnit(const Unit (&units)[kUnits], std::string_view& text) {
  const auto* unit =
      std::ranges::find_if(units, [&](const Unit& each) { return text.ends_with(each.name); });
  text.remove_suffix(unit->name.size());
  return unit->size;
}

// a * b + c, or nullopt if 64 bits do not hold it.
std::optional<uint64_t> MultiplyAdd(uint64_t a, uint64_t b, uint64_t c) {
  uint64_t product = 0;
  uint64_t sum = 0;
  if (__builtin_mul_overflow(a, b, &product) || __builtin_add_overflow(product, c, &sum))
    return std::nullopt;
  return sum;
}

// The digits behind the point, in the same unit: "5" of 1000 is 500. A digit below one
// unit is refused unless it is a zero.
std::optional<uint64_t> FractionOf(uint64_t unit, std::string_view digits) {
  uint64_t sum = 0;
  for (const char digit : digits) {
    const auto value = static_cast<uint64_t>(digit - '0');
    if (value != 0 && (unit == 0 || unit % 10 != 0)) return std::nullopt;
    unit /= 10;
    sum += unit * value;
  }
  return sum;
}

}  // namespace

std::optional<uint64_t> ParseWholeNumber(std::string_view text) {
  uint64_t value = 0;
  if (!IsDigits(text)) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<uint64_t> ParseDurationNs(std::string_view text) {
  const uint64_t unit = TakeUnit(kTimeUnits, text);
  const size_t point = std::min(text.find('.'), text.size());
  const auto whole = ParseWholeNumber(text.substr(0, point));
  if (!whole) return std::nullopt;
  if (point == text.size()) return MultiplyAdd(*whole, unit, 0);
  const std::string_view digits = text.substr(point + 1);
  if (!IsDigits(digits)) return std::nullopt;
  const auto fraction = FractionOf(unit, digits);
  return fraction ? MultiplyAdd(*whole, unit, *fraction) : std::nullopt;
}

std::optional<uint64_t> ParseBytes(std::string_view text) {
  const uint64_t unit = TakeUnit(kByteUnits, text);
  const auto number = ParseWholeNumber(text);
  return number ? MultiplyAdd(*number, unit, 0) : std::nullopt;
}

std::string FormatBytes(uint64_t bytes) {
  const auto* unit = std::ranges::find_if(
      kByteUnits, [&](const Unit& each) { return bytes != 0 && bytes % each.size == 0; });
  if (unit == std::end(kByteUnits)) unit--;
  return fmt::format("{}{}", bytes / unit->size, unit->name);
}

std::string FormatCount(uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace lunscope
