// SPDX-License-Identifier: Apache-2.0
//
// Names for the process of a connection, read when the connection is met: later it may be gone.
#pragma once

#include <lunscope/event.h>

#include <string>
#include <unordered_map>

#include "collector/base/local_process.h"

namespace lunscope {

class LocalProcesses {
 public:
  LocalProcess Read(const lunscope_connection_event& connection);

 private:
  const std::string& NamespaceName(uint32_t inode);

  // To find a name may take a look at every process of the host. At most kMaxNamespaces.
  std::unordered_map<uint32_t, std::string> namespaces_;
};

}  // namespace lunscope
