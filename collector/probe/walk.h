// SPDX-License-Identifier: Apache-2.0
//
// A scrape's walk over the live connections. An iterator over the map of their state visits them.
// Where a kernel's policy forbids such iterators, an iterator over TCP sockets does. It runs once
// in each network namespace that records have named.
//
// One thread at a time. Rejected: the socket walk everywhere. It visits every TCP socket of the
// host, and takes the lock of each.
#pragma once

#include "collector/base/result.h"
#include "collector/probe/namespaces.h"
#include "collector/probe/programs.h"
#include "collector/probe/record_stream.h"
#include "collector/probe/skeleton.h"

namespace lunscope {

// Attach one of the two iterators to what it iterates over. Returns nullptr, with errno, on
// failure.
Link AttachWalk(const lunscope_bpf& skeleton, const bpf_program* program);

class ConnectionWalk {
 public:
  // REQUIRES: the skeleton is loaded.
  Status Attach(const lunscope_bpf& skeleton);

  // Learn from a record of the rings in which network namespaces the connections are.
  void Learn(const lunscope_record& record);

  // Run() enters other network namespaces.
  [[nodiscard]] bool enters_namespaces() const { return is_of_sockets_; }

  // Hand each record of the walk on. take may call anything but the walk.
  Status Run(const RecordStream::Take& take);

 private:
  // Begin a walk in the network namespace of the calling thread.
  Result<int> Open() const;
  // Read the walk, and close it. Returns false if it has no connection.
  Result<bool> Read(int fd, const RecordStream::Take& take);

  Link link_;
  bool is_of_sockets_ = false;
  NetworkNamespaces namespaces_;
  RecordStream stream_;
};

}  // namespace lunscope
