// SPDX-License-Identifier: Apache-2.0
// The engine in the kernel: exchange.bpf.c, run by BPF_PROG_TEST_RUN, and the map with its input
// and output.
#pragma once

#include <bpf/libbpf.h>

#include <cstddef>
#include <cstdint>
#include <functional>

#include "exchange.skel.h"
#include "tests/differential/exchange.h"
#include "tests/differential/test_run.h"

namespace lunscope {

class KernelEngine {
 public:
  using Handler = std::function<void(const void* record, size_t bytes)>;

  // REQUIRES: CAP_BPF. last_step: as of the programs. Throws std::runtime_error.
  KernelEngine(lunscope_step last_step, uint32_t ring_bytes);
  KernelEngine(const KernelEngine&) = delete;
  KernelEngine& operator=(const KernelEngine&) = delete;
  ~KernelEngine();

  exchange& input() { return *exchange_; }

  // Takes the segments of the input, then hands their records to `take` in order.
  void Run(const Handler& take);

  // Time spent in the program so far; 0 while the kernel does not count it (BPF_ENABLE_STATS).
  [[nodiscard]] uint64_t run_time_ns() const;

 private:
  static int OnRecord(void* self, void* record, size_t bytes);

  exchange_bpf* skeleton_ = nullptr;
  ring_buffer* rings_ = nullptr;
  MappedValue<exchange> exchange_;
  Handler take_;
};

}  // namespace lunscope
