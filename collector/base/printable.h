// SPDX-License-Identifier: Apache-2.0
//
// Names from the wire are hostile: they may hold terminal escapes, invalid UTF-8, or megabytes.
// Each name passes through here on its way into the model. From there on, every text is printable
// ASCII of bounded length.
#pragma once

#include <string>
#include <string_view>

namespace lunscope {

// An iSCSI name has at most 223 bytes (RFC 7143 section 4.2.7.1).
inline constexpr size_t kMaxNameBytes = 223;

// Keeps printable ASCII, and writes every other byte and the backslash as \xNN. Names that differ
// stay different. Bytes behind kMaxNameBytes are cut off; "..." marks the cut.
std::string Printable(std::string_view wire);

// The same into an existing string. It allocates no memory if the string has held as long a text.
void AssignPrintable(std::string_view wire, std::string& text);

// A text of several lines that another process says is printable. Line ends and backslashes stay.
std::string PrintableLines(std::string_view text);

// Without blanks and NULs at either end, with which INQUIRY strings are padded (SPC-5 section
// 4.3.1).
std::string_view Trimmed(std::string_view wire);
std::string PrintableTrimmed(std::string_view wire);

}  // namespace lunscope
