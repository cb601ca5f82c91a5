// SPDX-License-Identifier: Apache-2.0
//
// The JSON that we write: one row for each value and each hard string. nlohmann-json reads every
// text back.
#include "collector/base/json.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

namespace lunscope {
namespace {

using std::string_literals::operator""s;

struct ValueRow {
  const char* what;
  std::function<void(json::Members&)> fill;
  const char* text;
};

const ValueRow kValues[] = {
    {"an empty object", [](auto&) {}, "{}"},
    {"a string", [](auto& line) { line.String("a", "b"); }, R"({"a":"b"})"},
    {"an empty string", [](auto& line) { line.String("a", ""); }, R"({"a":""})"},
    {"an empty key", [](auto& line) { line.String("", "b"); }, R"({"":"b"})"},
    {"a key with a quote", [](auto& line) { line.Flag("a\"", true); }, R"({"a\"":true})"},
    {"the least number", [](auto& line) { line.Number("a", 0); }, R"({"a":0})"},
    {"the greatest number", [](auto& line) { line.Number("a", ~uint64_t{0}); },
     R"({"a":18446744073709551615})"},
    {"true and false",
     [](auto& line) {
       line.Flag("a", true);
       line.Flag("b", false);
     },
     R"({"a":true,"b":false})"},
    {"digits behind the point", [](auto& line) { line.Decimal("a", 87.1, 3); }, R"({"a":87.100})"},
    {"a decimal that is rounded", [](auto& line) { line.Decimal("a", 0.0016, 3); },
     R"({"a":0.002})"},
    {"a decimal without digits", [](auto& line) { line.Decimal("a", 2.0, 0); }, R"({"a":2})"},
    {"a large decimal", [](auto& line) { line.Decimal("a", 1e15, 3); },
     R"({"a":1000000000000000.000})"},
    {"infinity", [](auto& line) { line.Decimal("a", std::numeric_limits<double>::infinity(), 3); },
     R"({"a":null})"},
    {"not a number", [](auto& line) { line.Decimal("a", std::nan(""), 3); }, R"({"a":null})"},
    {"bytes in hex",
     [](auto& line) {
       constexpr uint8_t kBytes[] = {0x00, 0x0a, 0xff};
       line.Hex("a", kBytes);
     },
     R"({"a":"000aff"})"},
    {"bytes in two parts",
     [](auto& line) {
       constexpr uint8_t kBytes[] = {0x01, 0x02, 0x03};
       line.Hex("a", std::span(kBytes).first(1), std::span(kBytes).subspan(1));
     },
     R"({"a":"010203"})"},
    {"no bytes", [](auto& line) { line.Hex("a", {}); }, R"({"a":""})"},
    {"an object in an object, and a member behind it",
     [](auto& line) {
       line.Object("a", [](json::Members& inner) {
         inner.Number("b", 1);
         inner.Number("c", 2);
       });
       line.Number("d", 3);
     },
     R"({"a":{"b":1,"c":2},"d":3})"},
    {"an empty object in an object", [](auto& line) { line.Object("a", [](json::Members&) {}); },
     R"({"a":{}})"},
    {"an empty array", [](auto& line) { line.Array("a", [](json::Elements&) {}); }, R"({"a":[]})"},
    {"an array of strings",
     [](auto& line) {
       line.Array("a", [](json::Elements& list) {
         list.String("b");
         list.String("");
       });
     },
     R"({"a":["b",""]})"},
    {"an array of objects",
     [](auto& line) {
       line.Array("a", [](json::Elements& list) {
         list.Object([](json::Members& inner) { inner.Flag("b", true); });
         list.Object([](json::Members&) {});
       });
     },
     R"({"a":[{"b":true},{}]})"},
};

TEST(Json, HasOneTextForEachValue) {
  for (const ValueRow& row : kValues) {
    const std::string text = json::Object(row.fill);
    EXPECT_EQ(text, row.text) << row.what;
    EXPECT_TRUE(nlohmann::json::accept(text)) << row.what;
  }
}

struct StringRow {
  const char* what;
  std::string value;
  std::string text;       // as it is written, without the quotes
  std::string read_back;  // "=": the value
};

const StringRow kStrings[] = {
    {"an iSCSI name", "iqn.2026-01.com.example:disk1", "iqn.2026-01.com.example:disk1", "="},
    {"the first and the last printable character", " ~", " ~", "="},
    {"a double quote", "a\"b", R"(a\"b)", "="},
    {"a backslash", "a\\b", R"(a\\b)", "="},
    {"a quote behind a backslash", "\\\"", R"(\\\")", "="},
    {"what looks like an escape", R"(\u0041)", R"(\\u0041)", "="},
    {"what looks like the end of the object", "\"}", R"(\"})", "="},
    {"a slash, a quote and a comment", "/'//", "/'//", "="},
    {"NUL", "a\0b"s, R"(a\u0000b)", "="},
    {"line ends and a tab", "\r\n\t", R"(\u000d\u000a\u0009)", "="},
    {"a terminal's escape", "\x1b[2J", R"(\u001b[2J)", "="},
    {"the last control character below blank", "\x1f", R"(\u001f)", "="},
    {"DEL", "\x7f", R"(\u007f)", "="},
    {"UTF-8 of two bytes: the first, the last", "\xc2\x80\xdf\xbf", R"(\u0080\u07ff)", "="},
    {"UTF-8 of three bytes: the first, the last", "\xe0\xa0\x80\xef\xbf\xbf", R"(\u0800\uffff)",
     "="},
    {"around the surrogates", "\xed\x9f\xbf\xee\x80\x80", R"(\ud7ff\ue000)", "="},
    {"UTF-8 of four bytes: the first", "\xf0\x90\x80\x80", R"(\ud800\udc00)", "="},
    {"UTF-8 of four bytes: the last", "\xf4\x8f\xbf\xbf", R"(\udbff\udfff)", "="},
    {"an 8-bit control sequence in UTF-8", "\xc2\x9b", R"(\u009b)", "="},
    {"text that runs backwards (U+202E)", "\xe2\x80\xae", R"(\u202e)", "="},

    {"an 8-bit control sequence", "\x9b", R"(\ufffd)", "\xef\xbf\xbd"},
    {"a continuation byte alone", "\x80z", R"(\ufffdz)", "\xef\xbf\xbdz"},
    {"two bytes, cut off", "\xc3", R"(\ufffd)", "\xef\xbf\xbd"},
    {"two bytes, then a letter", "\xc3(", R"(\ufffd()", "\xef\xbf\xbd("},
    {"two bytes, then a quote", "\xc3\"", R"(\ufffd\")", "\xef\xbf\xbd\""},
    {"three bytes, cut off", "\xe2\x82", R"(\ufffd\ufffd)", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"four bytes, then a control character", "\xf0\x90\n", R"(\ufffd\ufffd\u000a)",
     "\xef\xbf\xbd\xef\xbf\xbd\n"},
    {"NUL in two bytes", "\xc0\x80", R"(\ufffd\ufffd)", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"a quote in three bytes", "\xe0\x80\xa2", R"(\ufffd\ufffd\ufffd)",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"a surrogate", "\xed\xa0\x80", R"(\ufffd\ufffd\ufffd)",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"behind the last code point", "\xf4\x90\x80\x80", R"(\ufffd\ufffd\ufffd\ufffd)",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"bytes that UTF-8 never has", "\xf8\xfe\xff", R"(\ufffd\ufffd\ufffd)",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
};

TEST(Json, EscapesStringsAndKeys) {
  for (const StringRow& row : kStrings) {
    const std::string read_back = row.read_back == "=" ? row.value : row.read_back;
    const std::string value = json::Object([&](auto& line) { line.String("a", row.value); });
    EXPECT_EQ(value, "{\"a\":\"" + row.text + "\"}") << row.what;
    EXPECT_EQ(nlohmann::json::parse(value).at("a"), read_back) << row.what;
    const std::string key = json::Object([&](auto& line) { line.String(row.value, "a"); });
    EXPECT_EQ(key, "{\"" + row.text + "\":\"a\"}") << row.what;
    EXPECT_EQ(nlohmann::json::parse(key).begin().key(), read_back) << row.what;
    const std::string element = json::Object([&](auto& line) {
      line.Array("a", [&](json::Elements& list) { list.String(row.value); });
    });
    EXPECT_EQ(element, "{\"a\":[\"" + row.text + "\"]}") << row.what;
  }
}

// nlohmann-json decides independently whether bytes are UTF-8: it refuses to write others.
bool IsUtf8(const std::string& bytes) {
  try {
    nlohmann::json(bytes).dump();
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

TEST(Json, OfRandomBytesIsPrintableAndReadBack) {
  std::mt19937 random(8259);
  int valid = 0;
  for (int i = 0; i < 20'000; i++) {
    std::string value(random() % 5, '\0');
    // Most bytes are above 7fh, for these lead to the decoder of UTF-8.
    for (char& c : value) c = static_cast<char>(random() % 4 == 0 ? random() : random() | 0x80);
    const std::string text = json::Object([&](auto& line) { line.String("a", value); });
    EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; })) << text;
    const auto read = nlohmann::json::parse(text).at("a").get<std::string>();
    valid += IsUtf8(value) ? 1 : 0;
    if (IsUtf8(value)) {
      EXPECT_EQ(read, value);
    } else {
      EXPECT_NE(read.find("\xef\xbf\xbd"), std::string::npos) << text;
    }
  }
  EXPECT_GT(valid, 1'000);
}

// A function that nests without an end.
void Descend(json::Members& line, int& depth) {
  depth++;
  line.Object("a", Descend, depth);
}

TEST(Json, NestsNoDeeperThanItsLimit) {
  int depth = 0;
  const std::string text = json::Object(Descend, depth);
  EXPECT_EQ(depth, json::kMaxDepth);
  EXPECT_TRUE(nlohmann::json::accept(text)) << text;
  EXPECT_EQ(std::ranges::count(text, '{'), json::kMaxDepth);
  EXPECT_NE(text.find("{\"a\":null}"), std::string::npos) << text;
}

TEST(JsonDeathTest, RefusesAMemberOfTheOuterObjectInsideTheInnerOne) {
  EXPECT_DEBUG_DEATH(json::Object([](json::Members& outer) {
                       outer.Object("a", [&](json::Members&) { outer.Number("b", 1); });
                     }),
                     "is_nesting_");
}

}  // namespace
}  // namespace lunscope
