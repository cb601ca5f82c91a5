// SPDX-License-Identifier: Apache-2.0
//
// The client of another lunscope's endpoint.
#pragma once

#include <string>

#include "collector/base/result.h"
#include "collector/web/listen_address.h"

namespace lunscope {

// Returns the body of the page at this path. Every other answer than status 200, and no answer, is
// an error (kFailure) whose message has the URL, the cause and what to do.
Result<std::string> Fetch(const ListenAddress& address, const std::string& path);

}  // namespace lunscope
