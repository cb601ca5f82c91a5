// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lunscope {

// The text as a gzip file (RFC 1952), by the fastest level: a page of metrics has a tenth of its
// bytes then. "" if there is no memory.
std::string Gzip(std::string_view text);

// Whether an Accept-Encoding header (RFC 9110 section 12.5.3) allows gzip. header: may be nullptr.
bool AcceptsGzip(const char* header);

}  // namespace lunscope
