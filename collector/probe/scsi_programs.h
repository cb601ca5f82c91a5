// SPDX-License-Identifier: Apache-2.0
//
// The programs of one SCSI layer, which share the maps of a skeleton that outlives them.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "collector/probe/skeleton.h"
#include "scsi.skel.h"

namespace lunscope {

struct ScsiSkeletonDeleter {
  void operator()(scsi_bpf* skeleton) const { scsi_bpf__destroy(skeleton); }
};
using ScsiSkeleton = std::unique_ptr<scsi_bpf, ScsiSkeletonDeleter>;

// A layer of the kernel: the module that it may be, and the tracepoints that begin its programs.
struct ScsiLayer {
  const char* name;        // "SCSI mid-layer"
  const char* module;      // "scsi_mod"
  const char* tracepoint;  // one of those that its programs hook
  const char* section;     // what the sections of its programs begin with
};
inline constexpr ScsiLayer kMidlayer = {"SCSI mid-layer", "scsi_mod", "scsi_dispatch_cmd_start",
                                        "tp_btf/scsi_"};
inline constexpr ScsiLayer kTargetCore = {"LIO", "target_core_mod", "target_sequencer_start",
                                          "tp_btf/target_"};

class ScsiPrograms {
 public:
  // REQUIRES: maps is loaded, and lives as long as this.
  ScsiPrograms(const ScsiLayer& layer, const scsi_bpf& maps) : layer_(layer), maps_(maps) {}

  // Attach or detach, if a second has gone by since the last look and something has changed.
  void Update();

  [[nodiscard]] std::vector<ProgramState> States() const;
  // Why it is not attached; "" if it is.
  [[nodiscard]] const std::string& missing() const { return missing_; }

 private:
  [[nodiscard]] bool IsOurs(const bpf_program* program) const;
  Status Attach();
  void Detach();

  const ScsiLayer& layer_;
  const scsi_bpf& maps_;
  ScsiSkeleton skeleton_;
  std::vector<Link> links_;
  bool wanted_ = false;
  std::string missing_ = "not looked for yet";
  std::chrono::steady_clock::time_point next_look_;
};

}  // namespace lunscope
