// SPDX-License-Identifier: Apache-2.0
//
// Values out of negotiation text, which ends and is cut where it likes: one row each.
#include "collector/model/text_keys.h"

#include <gtest/gtest.h>

namespace lunscope {
namespace {

using std::string_literals::operator""s;

struct Row {
  const char* what;
  std::string text;
  const char* key;
  const char* value;
};

const Row kRows[] = {
    {"nothing", "", "TargetName", ""},
    {"one pair", "TargetName=iqn.a\0"s, "TargetName", "iqn.a"},
    {"no NUL at the end", "TargetName=iqn.a", "TargetName", "iqn.a"},
    {"the second pair", "InitiatorName=iqn.h\0TargetName=iqn.a\0"s, "TargetName", "iqn.a"},
    {"the last pair, cut short", "InitiatorName=iqn.h\0TargetName=iq"s, "TargetName", "iq"},
    {"the first of two", "TargetName=iqn.a\0TargetName=iqn.b\0"s, "TargetName", "iqn.a"},
    {"a value held back", "TargetName=\0"s, "TargetName", ""},
    {"a value held back, nothing behind", "TargetName=", "TargetName", ""},
    {"a key without a value", "TargetName\0"s, "TargetName", ""},
    {"a key without a value, then the key", "TargetName\0TargetName=iqn.a\0"s, "TargetName",
     "iqn.a"},
    {"the key is the beginning of another", "TargetNameX=no\0TargetName=iqn.a\0"s, "TargetName",
     "iqn.a"},
    {"the key is the end of another", "MyTargetName=no\0TargetName=iqn.a\0"s, "TargetName",
     "iqn.a"},
    {"the key is a value", "Alias=TargetName=no\0TargetName=iqn.a\0"s, "TargetName", "iqn.a"},
    {"keys are case-sensitive", "targetname=no\0"s, "TargetName", ""},
    {"an equals sign in the value", "TargetAlias=a=b\0"s, "TargetAlias", "a=b"},
    {"empty pairs between", "\0\0\0TargetName=iqn.a\0\0\0"s, "TargetName", "iqn.a"},
    {"only NULs", "\0\0\0\0"s, "TargetName", ""},
    {"no key", "=iqn.a\0"s, "TargetName", ""},
    {"hostile bytes", "TargetAlias=\x1b[2J\n\xff\0"s, "TargetAlias", R"(\x1b[2J\x0a\xff)"},
};

TEST(TextValue, IsTheFirstValueOfTheKey) {
  for (const Row& row : kRows) EXPECT_EQ(TextValue(row.text, row.key), row.value) << row.what;
}

TEST(TextValue, IsBounded) {
  const std::string text = "TargetName=" + std::string(60'000, 'n');
  EXPECT_EQ(TextValue(text, "TargetName"), std::string(223, 'n') + "...");
}

}  // namespace
}  // namespace lunscope
