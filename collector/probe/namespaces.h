// SPDX-License-Identifier: Apache-2.0
//
// The network namespaces that watched connections are in, and a way to do something in each.
//
// One thread at a time. ForEach() moves the calling thread into each namespace and back, so it
// needs CAP_SYS_ADMIN for any namespace but the thread's own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "collector/base/result.h"

namespace lunscope {

class NetworkNamespaces {
 public:
  // Returns false if it found no connection there: the namespace is then forgotten, until a record
  // names it once more.
  using Visit = std::function<Result<bool>()>;

  // inode: of the namespace; process: one that is probably in it.
  void Learn(uint32_t inode, uint32_t process) { processes_[inode] = process; }

  // Call visit in this thread's namespace first, then in each that was learned. A namespace that
  // nothing on this host refers to any more is gone, and is no error.
  Status ForEach(const Visit& visit);

 private:
  std::map<uint32_t, uint32_t> processes_;  // by inode
};

}  // namespace lunscope
