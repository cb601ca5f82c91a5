// SPDX-License-Identifier: Apache-2.0
//
// The callback with which a walk and a copy let records in.
#pragma once

#include <functional>

namespace lunscope {

// Called again and again by what takes long with many connections and LUNs, so that records need
// not wait for its end. A pause may apply records to the model, and do nothing else to it.
using Pause = std::function<void()>;

}  // namespace lunscope
