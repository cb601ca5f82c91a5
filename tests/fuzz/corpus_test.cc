// SPDX-License-Identifier: Apache-2.0
// Runs every fuzz target on its seeds, on the beginnings of each seed, and on thousands of
// mutations. These are others each day. The day is printed and may be given, so a failure repeats:
//
//   LUNSCOPE_FUZZ_DAY=20260131 fuzz_test
//
// A finding ends the program with a message. scripts/fuzz searches for new ones.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>

#include "tests/fuzz/target.h"

namespace lunscope {
namespace {

constexpr size_t kMutations = 10000;
constexpr size_t kMaxBeginnings = 200;  // of one seed

class Corpus : public testing::TestWithParam<const FuzzTarget*> {
 protected:
  // Memory of exactly this size, so that a sanitizer finds a read behind it.
  static void Run(const Bytes& input) { GetParam()->run(Bytes(input)); }
};

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus,
                         testing::Values(&kStreamTarget, &kPairingTarget, &kTextTarget,
                                         &kSecretsTarget, &kReadersTarget, &kLinesTarget,
                                         &kReplayTarget, &kSeriesTarget, &kConfigTarget,
                                         &kHttpTarget),
                         [](const auto& tested) { return std::string(tested.param->name); });

TEST_P(Corpus, SeedsAndTheirBeginnings) {
  Run({});
  for (const Bytes& seed : GetParam()->seeds()) {
    Run(seed);
    const size_t step = seed.size() / kMaxBeginnings + 1;
    for (size_t bytes = 1; bytes < seed.size(); bytes += step) Run(Slice(seed, 0, bytes));
  }
}

// "20260131", in UTC.
unsigned Day() {
  if (const char* given = std::getenv("LUNSCOPE_FUZZ_DAY"); given != nullptr)
    return static_cast<unsigned>(std::strtoul(given, nullptr, 10));
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  return static_cast<unsigned>((utc.tm_year + 1900) * 10'000 + (utc.tm_mon + 1) * 100 +
                               utc.tm_mday);
}

// One change of the kind that libFuzzer makes.
Bytes Changed(Bytes input, const Bytes& other, std::mt19937* random) {
  const size_t at = input.empty() ? 0 : (*random)() % input.size();
  const auto byte = static_cast<uint8_t>((*random)());
  const auto place = input.begin() + static_cast<ptrdiff_t>(at);
  switch ((*random)() % 5) {
    case 0: input.insert(place, byte); return input;
    case 1:
      return Join({Slice(input, 0, at), Slice(other, std::min(at, other.size()), other.size())});
    case 2: return Join({input, Slice(other, other.size() / 2, other.size())});
    default: break;
  }
  if (input.empty()) return input;
  if ((*random)() % 2) {
    *place ^= static_cast<uint8_t>(1 << byte % 8);
  } else {
    *place = byte;
  }
  return input;
}

TEST_P(Corpus, Mutations) {
  const unsigned day = Day();
  std::printf("LUNSCOPE_FUZZ_DAY=%u\n", day);
  std::fflush(stdout);
  std::mt19937 random(day);
  const std::vector<Bytes> seeds = GetParam()->seeds();
  for (size_t i = 0; i < kMutations; i++) {
    Bytes input = seeds[random() % seeds.size()];
    for (size_t changes = 1 + random() % 8; changes > 0; changes--)
      input = Changed(std::move(input), seeds[random() % seeds.size()], &random);
    Run(input);
  }
}

TEST(FuzzTarget, AFindingEndsTheProgram) {
  Check(true, "this");
  EXPECT_DEATH(Check(false, "this"), "not so: this");
}

TEST(FuzzTarget, InputEndsInZeros) {
  const Bytes bytes = {1, 2, 3};
  Input input(bytes);
  EXPECT_EQ(input.Word(), 0x0102);
  EXPECT_EQ(input.Copy(9), Bytes{3});
  EXPECT_TRUE(input.empty());
  EXPECT_EQ(input.Number(8), 0u);
}

}  // namespace
}  // namespace lunscope
