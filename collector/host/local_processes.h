// SPDX-License-Identifier: Apache-2.0
//
// Names for the process at this host's end of a connection. They are read when the connection is
// first seen. The process may have ended by then, or its process namespace may be hidden from here;
// then only its control group is known.
#pragma once

#include <lunscope/records.h>

#include <string>
#include <unordered_map>

#include "collector/base/local_process.h"

namespace lunscope {

class LocalProcesses {
 public:
  LocalProcess Read(const lunscope_connection_record& connection);

 private:
  const std::string& CgroupName(uint64_t id);
  const std::string& NamespaceName(uint32_t inode);

  // Finding a name may read every control group or process of the host, so names are remembered: at
  // most kMaxNames of each kind.
  std::unordered_map<uint64_t, std::string> cgroups_;
  std::unordered_map<uint32_t, std::string> namespaces_;
};

}  // namespace lunscope
