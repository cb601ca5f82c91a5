// SPDX-License-Identifier: Apache-2.0
//
// The TCP sockets that listen on this host, from /proc/net/tcp and tcp6.
#pragma once

#include <string>
#include <vector>

#include "collector/host/portal.h"

namespace lunscope {

// The listening sockets in the text of net/tcp or net/tcp6 (get_tcp4_sock(), get_tcp6_sock()).
std::vector<Portal> ParseListeners(const std::string& text);

// The listening sockets in the network namespace of a folder. net: "/proc/self/net".
std::vector<Portal> ReadListeners(const std::string& net);

}  // namespace lunscope
