// SPDX-License-Identifier: Apache-2.0
//
// An address at which a target of this host may be reached.
#pragma once

#include <cstdint>
#include <string>

namespace lunscope {

struct Portal {
  std::string address;  // "127.0.0.1:3260", "[::]:3260"
  uint16_t port = 0;
  std::string source;    // "socket", "configfs" or "tgtadm": where the portal is listed
  bool is_iser = false;  // RDMA in place of TCP
};

}  // namespace lunscope
