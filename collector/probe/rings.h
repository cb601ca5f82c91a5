// SPDX-License-Identifier: Apache-2.0
//
// The ring buffers of one set of programs. The collector makes them as large as it wants, puts them
// into the programs' map of rings, and reads all of them together.
//
// One thread at a time may call Drain() and Hand().
#pragma once

#include <bpf/libbpf.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "collector/base/result.h"
#include "collector/probe/record_source.h"

namespace lunscope {

// One ring for each CPU, rounded down to a power of two; at most as many as the map has places.
uint32_t RingCount(const bpf_map* rings);

// Set the programs' knobs about rings. A full quarter of a ring wakes the collector; the last
// quarter is for commands that end with a status.
// REQUIRES: the skeleton is open and not loaded.
template <typename Object>
void SetRingKnobs(Object* skeleton, uint32_t ring_bytes) {
  skeleton->rodata->ring_mask = RingCount(skeleton->maps.rings) - 1;
  skeleton->rodata->ring_high_water = ring_bytes / 4;
  skeleton->rodata->ring_shared_bytes = uint64_t{ring_bytes} / 4 * 3;
}

class Rings {
 public:
  Rings() = default;
  Rings(const Rings&) = delete;
  Rings& operator=(const Rings&) = delete;
  ~Rings();

  // REQUIRES: the map is loaded.
  Status Make(const bpf_map* rings, uint32_t ring_bytes);

  [[nodiscard]] int wakeup_fd() const { return ring_buffer__epoll_fd(buffer_.get()); }
  // As RecordSource::Drain().
  size_t Drain(const RecordSource::Handler& handler);
  // Hand these bytes to the handler if they are one whole record; else count them as malformed.
  void Hand(const void* data, size_t bytes, const RecordSource::Handler& handler);
  [[nodiscard]] uint64_t malformed_records() const { return malformed_records_; }

 private:
  struct Deleter {
    void operator()(ring_buffer* rings) const { ring_buffer__free(rings); }
  };

  // Returns false, with errno, on failure.
  bool Add(const bpf_map* rings, uint32_t number, uint32_t bytes);
  static int OnRecord(void* self, void* data, size_t bytes);

  std::vector<int> fds_;
  std::unique_ptr<ring_buffer, Deleter> buffer_;
  const RecordSource::Handler* handler_ = nullptr;  // while Drain() runs
  uint64_t malformed_records_ = 0;
};

}  // namespace lunscope
