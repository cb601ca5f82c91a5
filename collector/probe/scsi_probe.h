// SPDX-License-Identifier: Apache-2.0
//
// The programs of the kernel's SCSI layers: the mid-layer, which dispatches commands to low-level
// drivers, and LIO, which serves them. Each layer may be a module that comes later or goes again,
// so its programs are attached while the layer is in use, and only then: an attached tracepoint
// keeps its module from being unloaded. The maps stay, and with them what was counted.
//
// One thread at a time may call Drain() and Walk().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <lunscope/layers.h>
#include <lunscope/totals.h>

#include "collector/base/result.h"
#include "collector/probe/probe.h"

namespace lunscope {

struct ScsiProbeOptions {
  bool midlayer = false;
  bool target = false;
  uint32_t ring_bytes = 512 << 10;
};

class ScsiProbe {
 public:
  using TaskHandler = std::function<void(const lunscope_scsi_command&)>;

  virtual ~ScsiProbe() = default;

  // Load the maps, and attach to the layers that are there. That one is not there is no error.
  static Result<std::unique_ptr<ScsiProbe>> Attach(const ScsiProbeOptions& options);

  // As those of Probe. Drain() also looks, once a second, for a layer that came or went.
  [[nodiscard]] virtual int wakeup_fd() const = 0;
  virtual size_t Drain(const Probe::Handler& handler) = 0;
  // Hand every command in flight to the handler. One whose timer ran out a minute ago is given up:
  // the error handler has ended it by then.
  virtual Status Walk(const TaskHandler& handler) = 0;
  [[nodiscard]] virtual lunscope_scsi_totals Totals() const = 0;
  [[nodiscard]] virtual std::vector<ProgramState> Programs() const = 0;
  [[nodiscard]] virtual uint64_t malformed_records() const = 0;
  // What of the wanted layers is not attached, and why; "" if all are.
  [[nodiscard]] virtual std::string Missing() const = 0;
};

}  // namespace lunscope
