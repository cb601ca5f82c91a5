// SPDX-License-Identifier: Apache-2.0
//
// Names for the process of a connection, read when the connection is met. It may be gone by then,
// or in no process namespace that is seen from here: then its control group is all that can be
// told.
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

  // To find a name may take a look at every group or process of the host. At most kMaxNames of
  // each.
  std::unordered_map<uint64_t, std::string> cgroups_;
  std::unordered_map<uint32_t, std::string> namespaces_;
};

}  // namespace lunscope
