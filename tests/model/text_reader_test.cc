// SPDX-License-Identifier: Apache-2.0
// Pairs from negotiation text that ends and is cut anywhere: one row each.
#include "collector/model/text_reader.h"

#include <gtest/gtest.h>

namespace lunscope {
namespace {

using std::string_literals::operator""s;

struct Row {
  const char* what;
  std::string text;
  const char* pairs;  // each in brackets
};

const Row kRows[] = {
    {"nothing", "", ""},
    {"one pair", "TargetName=iqn.a\0"s, "[TargetName=iqn.a]"},
    {"no NUL at the end", "TargetName=iqn.a", "[TargetName=iqn.a]"},
    {"two pairs", "InitiatorName=iqn.h\0TargetName=iqn.a\0"s,
     "[InitiatorName=iqn.h][TargetName=iqn.a]"},
    {"the last pair, cut short", "InitiatorName=iqn.h\0TargetName=iq"s,
     "[InitiatorName=iqn.h][TargetName=iq]"},
    {"the same key twice", "TargetName=iqn.a\0TargetName=iqn.b\0"s,
     "[TargetName=iqn.a][TargetName=iqn.b]"},
    {"a value held back", "TargetName=\0"s, "[TargetName=]"},
    {"a value held back, nothing behind", "TargetName=", "[TargetName=]"},
    {"a key without a value, then the key", "TargetName\0TargetName=iqn.a\0"s,
     "[TargetName=iqn.a]"},
    {"an equals sign in the value", "TargetAlias=a=b\0"s, "[TargetAlias=a=b]"},
    {"empty pairs between", "\0\0\0TargetName=iqn.a\0\0\0"s, "[TargetName=iqn.a]"},
    {"only NULs", "\0\0\0\0"s, ""},
    {"no key", "=iqn.a\0"s, ""},
    {"hostile bytes", "TargetAlias=\x1b[2J\n\xff\0"s, R"([TargetAlias=\x1b[2J\x0a\xff])"},
};

// The pairs of a text that comes in pieces of this many bytes.
std::string PairsOf(std::string_view text, size_t piece_bytes) {
  std::string pairs;
  const auto visit = [&](std::string_view key, const std::string& value) {
    pairs += '[' + std::string(key) + '=' + value + ']';
  };
  TextReader reader;
  for (size_t at = 0; at < text.size(); at += piece_bytes)
    reader.Take(text.substr(at, piece_bytes), visit);
  reader.End(visit);
  EXPECT_EQ(reader.pending_bytes(), 0u);
  return pairs;
}

TEST(TextReader, ReadsPairsHoweverTheyAreCut) {
  for (const Row& row : kRows) {
    for (size_t piece_bytes = 1; piece_bytes <= 60; piece_bytes++)
      EXPECT_EQ(PairsOf(row.text, piece_bytes), row.pairs) << row.what << ", " << piece_bytes;
  }
}

TEST(TextReader, IsBounded) {
  const std::string text = "TargetName=" + std::string(60'000, 'n') + "\0TargetAlias=a\0"s;
  for (size_t piece_bytes : {1, 100, 1024, 100'000}) {
    EXPECT_EQ(PairsOf(text, piece_bytes),
              "[TargetName=" + std::string(223, 'n') + "...][TargetAlias=a]");
  }
  TextReader reader;
  for (int i = 0; i < 1000; i++) reader.Take(text.substr(0, 1000), [](auto...) { FAIL(); });
  EXPECT_LE(reader.pending_bytes(), TextReader::kMaxPairBytes);
}

}  // namespace
}  // namespace lunscope
