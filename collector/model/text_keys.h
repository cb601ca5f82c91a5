// SPDX-License-Identifier: Apache-2.0
//
// Negotiation text (RFC 7143 section 6): "key=value" strings, each ended by a NUL.
#pragma once

#include <string>
#include <string_view>

namespace lunscope {

// The first value of this key, printable; "" if the key is absent.
std::string TextValue(std::string_view text, std::string_view key);

}  // namespace lunscope
