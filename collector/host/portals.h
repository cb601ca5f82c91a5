// SPDX-License-Identifier: Apache-2.0
//
// Where targets of this host may be reached: what listens, and which portals LIO and tgt say they
// have.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace lunscope {

struct Portal {
  std::string address;  // "127.0.0.1:3260", "[::]:3260"
  uint16_t port = 0;
  std::string source;    // who tells: "socket", "configfs", "tgtadm"
  bool is_iser = false;  // over RDMA, not TCP
};

// TCP sockets that listen in the network namespace of net: "/proc/self/net".
std::vector<Portal> ReadListeners(const std::string& net);

// LIO: iscsi/<iqn>/tpgt_<n>/np/<portal>. target: "/sys/kernel/config/target".
std::vector<Portal> ReadLioPortals(const std::string& target);

// tgt, as ReadTgt().
std::vector<Portal> ReadTgtPortals(const std::string& run_folder, std::chrono::milliseconds limit);

}  // namespace lunscope
