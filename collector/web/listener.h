// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "collector/base/result.h"
#include "collector/web/listen_address.h"

namespace lunscope {

// A socket that listens on the address: not shared with another process, and it does not block. The
// caller closes it. The error (kFailure) has the address and the system's message.
Result<int> Listen(const ListenAddress& address);

}  // namespace lunscope
