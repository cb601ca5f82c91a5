// SPDX-License-Identifier: Apache-2.0
//
// The interface to any set of programs in the kernel: records in rings, and the state of each
// program. The programs for iSCSI and those for the SCSI layers are such sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <lunscope/records.h>

namespace lunscope {

// One program, as the kernel describes it.
struct ProgramState {
  std::string name;
  bool attached = false;
  uint64_t recursion_misses = 0;  // runs that the kernel skipped (bpf_prog_info, Linux 5.12)
  uint64_t runs = 0;              // 0 unless kernel.bpf_stats_enabled is set
  uint64_t run_time_ns = 0;       // 0 unless kernel.bpf_stats_enabled is set
  uint32_t verified_instructions = 0;
};

class RecordSource {
 public:
  using Handler = std::function<void(const lunscope_record&)>;

  virtual ~RecordSource() = default;

  // Readable when a ring has filled past its high-water mark. Until then, drain on a timer.
  [[nodiscard]] virtual int wakeup_fd() const = 0;

  // Hand every record in the rings to the handler, and return their number. Records of one
  // connection come in their order; those of different connections need not. A record of another
  // ABI, or with a length that does not fit its kind, is counted in malformed_records() and not
  // handed on.
  virtual size_t Drain(const Handler& handler) = 0;

  [[nodiscard]] virtual std::vector<ProgramState> Programs() const = 0;
  [[nodiscard]] virtual uint64_t malformed_records() const = 0;
};

}  // namespace lunscope
