// SPDX-License-Identifier: Apache-2.0
//
// The programs of the kernel's SCSI layers: the mid-layer, which dispatches commands to low-level
// drivers, and LIO, which serves them. A layer may be a module that is loaded or unloaded at any
// time. An attached tracepoint keeps its module from being unloaded, so programs are attached only
// while the layer is in use. The maps stay loaded, and keep the counts.
//
// One thread at a time may call Drain() and Walk().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <lunscope/layers.h>
#include <lunscope/totals.h>

#include "collector/base/result.h"
#include "collector/probe/record_source.h"

namespace lunscope {

struct ScsiProbeOptions {
  bool midlayer = false;
  bool target = false;
  uint32_t ring_bytes = 512 << 10;
};

// Drain() also looks, once a second, for a layer that has come into use or out of use.
class ScsiProbe : public RecordSource {
 public:
  using CommandHandler = std::function<void(const lunscope_scsi_command&)>;

  // Load the maps, and attach to the layers that are in use. A layer that is not in use is no
  // error.
  static Result<std::unique_ptr<ScsiProbe>> Attach(const ScsiProbeOptions& options);

  // Hand every command in flight to the handler. A command whose timer ran out a minute ago is
  // given up: the error handler has ended it by then.
  virtual Status Walk(const CommandHandler& handler) = 0;

  // The kernel's counts, summed over CPUs.
  [[nodiscard]] virtual lunscope_scsi_totals Totals() const = 0;
  // Which of the wanted layers are not attached, and why; "" if all are attached.
  [[nodiscard]] virtual std::string Missing() const = 0;
};

}  // namespace lunscope
