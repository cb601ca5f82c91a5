// SPDX-License-Identifier: Apache-2.0
//
// The programs in the kernel, held by one object: they are attached while it lives, and the kernel
// removes them with the process, however it ends.
//
// One thread at a time may call Drain() and Walk(); the caller serialises them. Walk()'s
// handler may call Drain().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <lunscope/aggregate.h>
#include <lunscope/connection.h>

#include "collector/base/result.h"

namespace lunscope {

struct ProbeOptions {
  std::vector<uint16_t> ports = {ISCSI_DEFAULT_PORT};
  bool watch_initiators = true;
  bool watch_targets = true;
  uint32_t ring_bytes = 512 << 10;  // of each ring: a power of two, a multiple of the page size
  bool check_header_digests = true;
  bool emit_headers = false;                            // a record for each PDU
  bool aggregates_commands = false;                     // records only of those that are special:
  uint64_t slow_command_ns = 1'000'000'000;             // failures, and what takes this long
  uint32_t inflight_limit = LUNSCOPE_TRACKED_COMMANDS;  // commands tracked per connection
  lunscope_step last_step = LUNSCOPE_STEP_EMIT;         // for benchmarks
};

// One program, as the kernel sees it.
struct ProgramState {
  std::string name;
  bool attached = false;
  uint64_t recursion_misses = 0;  // runs that the kernel skipped (bpf_prog_info, Linux 5.12)
  uint64_t runs = 0;              // 0 unless kernel.bpf_stats_enabled
  uint64_t run_time_ns = 0;       // likewise
  uint32_t verified_instructions = 0;
};

class Probe {
 public:
  using Handler = std::function<void(const lunscope_record&)>;

  virtual ~Probe() = default;

  // Load and attach every program. The error says what is missing and what to do about it.
  static Result<std::unique_ptr<Probe>> Attach(const ProbeOptions& options);

  // Readable when a ring has filled past its high-water mark; else drain it on a timer.
  [[nodiscard]] virtual int wakeup_fd() const = 0;

  // Hand every record in the rings to the handler: one connection's in their order, those of
  // different ones not. Returns how many. A record of another ABI, or with a length that does not
  // fit its kind, is counted in malformed_records() and not handed on.
  virtual size_t Drain(const Handler& handler) = 0;

  // Hand the state of every live connection to the handler: a lunscope_connection_record each, and
  // a lunscope_aggregates_record for those whose commands are added up, and a
  // lunscope_inflight_record for those that have commands in flight.
  virtual Status Walk(const Handler& handler) = 0;

  // Counted in the kernel, summed over the CPUs.
  [[nodiscard]] virtual lunscope_totals Totals() const = 0;
  [[nodiscard]] virtual std::vector<ProgramState> Programs() const = 0;
  [[nodiscard]] virtual uint64_t malformed_records() const = 0;
};

// "v1.1": of the libbpf in use.
std::string LibbpfVersion();

}  // namespace lunscope
