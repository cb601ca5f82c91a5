// SPDX-License-Identifier: Apache-2.0
//
// Names from the wire are hostile: they may hold terminal escapes, invalid UTF-8, or no end. Every
// one of them passes here on its way into the model, so that nothing behind it needs to ask again.
#pragma once

#include <string>
#include <string_view>

namespace lunscope {

// An iSCSI name has at most 223 bytes (RFC 7143 section 4.2.7.1).
inline constexpr size_t kMaxNameBytes = 223;

// Printable ASCII as it is; every other byte, and the backslash, as \xNN. What is behind
// kMaxNameBytes is cut off and marked by "...".
std::string Printable(std::string_view wire);

// The same into a text that is there: one that was as long before needs no memory.
void AssignPrintable(std::string_view wire, std::string& text);

// Without leading and trailing blanks and NULs: INQUIRY strings are padded (SPC-5 4.3.1).
std::string_view Trimmed(std::string_view wire);
std::string PrintableTrimmed(std::string_view wire);

}  // namespace lunscope
