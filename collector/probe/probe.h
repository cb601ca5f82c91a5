// SPDX-License-Identifier: Apache-2.0
//
// The programs that follow iSCSI over TCP. They are attached while a Probe lives. The kernel
// removes them with the process, however the process ends.
//
// One thread at a time may call Drain() and Walk(); the caller serialises them. Walk()'s
// handler may call Drain().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <lunscope/aggregate.h>
#include <lunscope/connection.h>

#include "collector/base/result.h"
#include "collector/probe/record_source.h"

namespace lunscope {

struct ProbeOptions {
  std::vector<uint16_t> ports = {ISCSI_DEFAULT_PORT};
  bool watch_initiators = true;
  bool watch_targets = true;
  uint32_t ring_bytes = 512 << 10;  // of each ring: a power of two, a multiple of the page size
  uint64_t connection_memory = 256 << 20;  // bytes for the states of all connections together
  bool check_header_digests = true;
  bool measures_phases = true;               // commands have phases (lunscope/phases.h)
  bool emit_headers = false;                 // a record for each PDU
  bool shows_open = false;                   // a walk shows each command in flight
  bool aggregates_commands = false;          // a record only for a command that failed or was slow
  uint64_t slow_command_ns = 1'000'000'000;  // how long a slow command takes
  uint32_t inflight_limit = LUNSCOPE_TRACKED_COMMANDS;  // commands tracked per connection
  lunscope_step last_step = LUNSCOPE_STEP_EMIT;         // for benchmarks
};

class Probe : public RecordSource {
 public:
  // Load and attach every program. The error says what is missing and what to do about it.
  static Result<std::unique_ptr<Probe>> Attach(const ProbeOptions& options);

  // Hand the state of every live connection to the handler: a lunscope_connection_record each. A
  // lunscope_aggregates_record follows if its commands are added up in the kernel. A
  // lunscope_inflight_record follows if it has commands in flight.
  virtual Status Walk(const Handler& handler) = 0;

  // Walk() enters other network namespaces than this thread's, which takes CAP_SYS_ADMIN.
  [[nodiscard]] virtual bool enters_namespaces() const = 0;

  // Bytes that the states of all connections take.
  [[nodiscard]] virtual uint64_t connection_memory() const = 0;

  // The kernel's counts, summed over programs and CPUs.
  [[nodiscard]] virtual lunscope_totals Totals() const = 0;
};

// The version of the libbpf in use: "v1.1".
std::string LibbpfVersion();

}  // namespace lunscope
