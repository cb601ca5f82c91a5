// SPDX-License-Identifier: Apache-2.0
//
// A scrape's walk over the live connections, through one of two iterators: over the map of their
// state, or, where a kernel's policy forbids iterators over maps, over the TCP sockets of each
// network namespace that records have named.
//
// One thread at a time. Rejected: the socket walk everywhere. It visits every TCP socket of the
// host, and takes the lock of each.
#pragma once

#include <functional>
#include <vector>

#include "collector/base/result.h"
#include "collector/probe/namespaces.h"
#include "collector/probe/skeleton.h"

namespace lunscope {

class ConnectionWalk {
 public:
  // Called with each whole record; may call anything but the walk.
  using Take = std::function<void(const void* record, size_t bytes)>;

  // REQUIRES: the skeleton is loaded.
  Status Attach(const lunscope_bpf& skeleton);

  // Where the records of the rings say that connections are.
  void Learn(const lunscope_record& record);

  Status Run(const Take& take);

 private:
  // Walk in this thread's network namespace. False: there was no connection.
  Result<bool> RunHere(const Take& take);
  // Hand on the whole records at the start of the buffer. Returns the bytes left over.
  size_t HandWhole(size_t have, const Take& take);

  Link link_;
  bool is_of_sockets_ = false;
  NetworkNamespaces namespaces_;
  std::vector<char> buffer_ = std::vector<char>(1 << 16);
};

}  // namespace lunscope
