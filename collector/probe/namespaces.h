// SPDX-License-Identifier: Apache-2.0
//
// The network namespaces of watched connections, and a way to open a file in each.
//
// One thread at a time. ForEach() moves the calling thread into each namespace and back, so it
// needs CAP_SYS_ADMIN for any namespace but the thread's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>

#include "collector/base/result.h"

namespace lunscope {

class NetworkNamespaces {
 public:
  // Called in the namespace. Returns a file descriptor.
  using Open = std::function<Result<int>()>;
  // Called with that file, in the thread's own namespace. Closes the file. Returns false if it
  // found no connection; the namespace is then forgotten until a record names it again.
  using Visit = std::function<Result<bool>(int fd)>;

  // With more, one that is not found counts as gone.
  static constexpr size_t kMaxHidden = 1024;

  // inode: the namespace's. process: one that is probably in it.
  void Learn(uint32_t inode, uint32_t process) { processes_[inode] = process; }

  // Visit this thread's namespace first, then each learned one. A namespace that no longer exists
  // is forgotten, and is no error. One whose process lives, but may not be looked at, is kept, and
  // is an error behind the visits of all others. Any other error ends it.
  Status ForEach(const Open& open, const Visit& visit);

  [[nodiscard]] size_t size() const { return processes_.size(); }

 private:
  std::map<uint32_t, uint32_t> processes_;  // by inode
};

}  // namespace lunscope
