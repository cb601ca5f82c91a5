// SPDX-License-Identifier: Apache-2.0
//
// The ring buffers of one set of programs: made as large as the collector wants them, put into the
// programs' map of rings, and read together.
//
// One thread at a time may call Drain() and Hand().
#pragma once

#include <bpf/libbpf.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "collector/base/result.h"
#include "collector/probe/probe.h"

namespace lunscope {

// A ring for each CPU, as far as the map of rings has places for them: a power of two.
uint32_t RingCount(const bpf_map* rings);

class Rings {
 public:
  Rings() = default;
  Rings(const Rings&) = delete;
  Rings& operator=(const Rings&) = delete;
  ~Rings();

  // REQUIRES: the map is loaded.
  Status Make(const bpf_map* rings, uint32_t ring_bytes);

  [[nodiscard]] int wakeup_fd() const { return ring_buffer__epoll_fd(buffer_.get()); }
  // As Probe::Drain().
  size_t Drain(const Probe::Handler& handler);
  // What claims to be one record, to the handler; or counted as malformed.
  void Hand(const void* data, size_t bytes, const Probe::Handler& handler);
  [[nodiscard]] uint64_t malformed_records() const { return malformed_records_; }

 private:
  struct Deleter {
    void operator()(ring_buffer* rings) const { ring_buffer__free(rings); }
  };

  // False: errno tells why.
  bool Add(const bpf_map* rings, uint32_t number, uint32_t bytes);
  static int OnRecord(void* self, void* data, size_t bytes);

  std::vector<int> fds_;
  std::unique_ptr<ring_buffer, Deleter> buffer_;
  const Probe::Handler* handler_ = nullptr;
  uint64_t malformed_records_ = 0;
};

}  // namespace lunscope
