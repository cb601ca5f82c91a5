// SPDX-License-Identifier: Apache-2.0
//
// The version of this lunscope. cmake/version.cmake writes the values at each build.
#pragma once

namespace lunscope {

extern const char* const kVersion;   // "0.1.0"
extern const char* const kRevision;  // the first 12 digits of git's commit id, or "unknown"

}  // namespace lunscope
