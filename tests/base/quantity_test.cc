// SPDX-License-Identifier: Apache-2.0
//
// Numbers, times and sizes: a row is a text and the value that it stands for, or nothing.
#include "collector/base/quantity.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>

namespace lunscope {
namespace {

struct Row {
  const char* text;
  std::optional<uint64_t> value;
};

constexpr auto kNone = std::nullopt;

constexpr Row kWholeNumbers[] = {
    {"0", 0},
    {"1", 1},
    {"20", 20},
    {"007", 7},
    {"18446744073709551615", UINT64_MAX},
    {"18446744073709551616", kNone},
    {"99999999999999999999999", kNone},
    {"", kNone},
    {" 1", kNone},
    {"1 ", kNone},
    {"+1", kNone},
    {"-1", kNone},
    {"1.0", kNone},
    {"1e3", kNone},
    {"0x10", kNone},
    {"1K", kNone},
    {"one", kNone},
};

constexpr Row kDurations[] = {
    {"0", 0},
    {"1", 1'000'000'000},
    {"10", 10'000'000'000},
    {"1.5", 1'500'000'000},
    {"0.1", 100'000'000},
    {"0.000000001", 1},
    {"10ms", 10'000'000},
    {"10us", 10'000},
    {"1.5us", 1'500},
    {"0.001us", 1},
    {"2s", 2'000'000'000},
    {"2.50s", 2'500'000'000},
    {"5m", 300'000'000'000},
    {"1.5m", 90'000'000'000},
    {"0.55m", 33'000'000'000},
    {"1h", 3'600'000'000'000},
    {"0.00h", 0},
    {"1.0000000000000000s", 1'000'000'000},
    {"5124095h", 18'446'742'000'000'000'000U},
    {"5124096h", kNone},
    {"18446744074", kNone},
    {"18446744073.9", kNone},
    // Below one nanosecond.
    {"0.0000000001", kNone},
    {"0.00000000005s", kNone},
    {"0.0005us", kNone},
    {"", kNone},
    {"s", kNone},
    {"ms", kNone},
    {".5", kNone},
    {"1.", kNone},
    {"1.s", kNone},
    {"1.5.2", kNone},
    {"-1", kNone},
    {"+1", kNone},
    {"1 s", kNone},
    {" 1s", kNone},
    {"1S", kNone},
    {"1d", kNone},
    {"1sm", kNone},
    {"1e3", kNone},
    {"inf", kNone},
    {"nan", kNone},
    {"1,5", kNone},
};

constexpr Row kBytes[] = {
    {"0", 0},
    {"4096", 4096},
    {"512K", 524'288},
    {"2M", 2'097'152},
    {"1G", 1'073'741'824},
    {"17179869183G", 18'446'744'072'635'809'792U},
    {"17179869184G", kNone},
    {"", kNone},
    {"K", kNone},
    {"1.5M", kNone},
    {"1k", kNone},
    {"1KB", kNone},
    {"1KiB", kNone},
    {"1T", kNone},
    {"1 K", kNone},
    {"-1K", kNone},
    {"0x1000", kNone},
};

TEST(Quantity, WholeNumbers) {
  for (const Row& row : kWholeNumbers) EXPECT_EQ(ParseWholeNumber(row.text), row.value) << row.text;
}

TEST(Quantity, Durations) {
  for (const Row& row : kDurations) EXPECT_EQ(ParseDurationNs(row.text), row.value) << row.text;
}

TEST(Quantity, Sizes) {
  for (const Row& row : kBytes) EXPECT_EQ(ParseBytes(row.text), row.value) << row.text;
}

TEST(Quantity, SizesAreWrittenAsTheyAreRead) {
  for (const char* text : {"0", "1", "1000", "4K", "512K", "1M", "3G"})
    EXPECT_EQ(FormatBytes(*ParseBytes(text)), text);
}

}  // namespace
}  // namespace lunscope
