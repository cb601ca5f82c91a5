// SPDX-License-Identifier: Apache-2.0
//
// The programs of one SCSI layer. They are attached while the layer is in use.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "collector/probe/program_part.h"
#include "collector/probe/ring_source.h"

namespace lunscope {

// A layer of the kernel, which may be a module.
struct ScsiLayer {
  const char* name;
  const char* module;
  const char* tracepoints;  // how the names of its tracepoints begin
};
inline constexpr ScsiLayer kMidlayer = {"SCSI mid-layer", "scsi_mod", "scsi_"};
inline constexpr ScsiLayer kTargetCore = {"LIO", "target_core_mod", "target_"};

class ScsiPrograms : public ProgramGroup {
 public:
  // REQUIRES: maps is loaded, and lives as long as this.
  ScsiPrograms(const ScsiLayer& layer, const scsi_bpf& maps) : layer_(layer), maps_(maps) {}

  // Once a second, look whether the layer is in use.
  void Update() override;

  [[nodiscard]] std::vector<ProgramState> States() const override;
  // Why the programs are not attached; "" if they are.
  [[nodiscard]] const std::string& missing() const { return missing_; }

 private:
  [[nodiscard]] bool IsOurs(const bpf_program* program) const;
  [[nodiscard]] bool IsInUse() const;
  void Attach();

  const ScsiLayer& layer_;
  const scsi_bpf& maps_;
  std::optional<ProgramPart<scsi_bpf>> part_;
  bool wanted_ = false;
  std::string missing_ = "not looked for yet";
  std::chrono::steady_clock::time_point next_look_;
};

}  // namespace lunscope
