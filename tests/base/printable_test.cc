// SPDX-License-Identifier: Apache-2.0
//
// Hostile names from the wire, and the text that a terminal shows for them: one row each.
#include "collector/base/printable.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace lunscope {
namespace {

using std::string_literals::operator""s;

struct Row {
  const char* what;
  std::string wire;
  std::string printable;
  std::string trimmed;
};

const Row kRows[] = {
    {"an empty name", "", "", ""},
    {"an iSCSI name", "iqn.2026-01.com.example:disk1", "iqn.2026-01.com.example:disk1",
     "iqn.2026-01.com.example:disk1"},
    {"padding", "LIO-ORG ", "LIO-ORG ", "LIO-ORG"},
    {"blanks inside", "  a b  ", "  a b  ", "a b"},
    {"only blanks", "        ", "        ", ""},
    {"padding of NULs", "ACME\0\0\0\0"s, R"(ACME\x00\x00\x00\x00)", "ACME"},
    {"NUL inside", "a\0b"s, R"(a\x00b)", R"(a\x00b)"},
    {"double quote", R"(a"b)", R"(a"b)", R"(a"b)"},
    {"single quote", "a'b", "a'b", "a'b"},
    {"backslash", R"(a\b)", R"(a\x5cb)", R"(a\x5cb)"},
    {"what looks like an escape", R"(\x41)", R"(\x5cx41)", R"(\x5cx41)"},
    {"newline", "a\nb", R"(a\x0ab)", R"(a\x0ab)"},
    {"return and tab", "\r\t", R"(\x0d\x09)", R"(\x0d\x09)"},
    {"terminal escape", "\x1b[2J", R"(\x1b[2J)", R"(\x1b[2J)"},
    {"delete", "\x7f", R"(\x7f)", R"(\x7f)"},
    {"8-bit control sequence", "\2332J", R"(\x9b2J)", R"(\x9b2J)"},
    {"valid UTF-8", "\xc3\xa4", R"(\xc3\xa4)", R"(\xc3\xa4)"},
    {"invalid UTF-8", "\xc3(\xff", R"(\xc3(\xff)", R"(\xc3(\xff)"},
    {"the first and last printable", " ~", " ~", "~"},
    {"as long as a name may be", std::string(223, 'n'), std::string(223, 'n'),
     std::string(223, 'n')},
    {"one byte too long", std::string(224, 'n'), std::string(223, 'n') + "...",
     std::string(223, 'n') + "..."},
    {"without an end", std::string(100'000, 'n'), std::string(223, 'n') + "...",
     std::string(223, 'n') + "..."},
    {"long by its padding alone", std::string(300, ' ') + "n", std::string(223, ' ') + "...", "n"},
};

TEST(Printable, KeepsPrintableCharactersAndWritesTheRestInHex) {
  for (const Row& row : kRows) {
    EXPECT_EQ(Printable(row.wire), row.printable) << row.what;
    EXPECT_EQ(PrintableTrimmed(row.wire), row.trimmed) << row.what;
  }
}

TEST(Printable, IsAsciiOfBoundedLengthForEveryByte) {
  for (int byte = 0; byte < 256; byte++) {
    const std::string text = Printable(std::string(1000, static_cast<char>(byte)));
    EXPECT_LE(text.size(), 4 * kMaxNameBytes + 3);
    EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; }))
        << byte;
  }
}

// Different names stay different, so that no name can pass for another one.
TEST(Printable, KeepsDifferentNamesDifferent) {
  EXPECT_NE(Printable("a\nb"), Printable(R"(a\x0ab)"));
  EXPECT_NE(Printable("\\"), Printable(R"(\x5c)"));
}

}  // namespace
}  // namespace lunscope
