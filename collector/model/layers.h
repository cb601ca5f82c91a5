// SPDX-License-Identifier: Apache-2.0
//
// The kernel's SCSI layers: their nexuses, the commands of these, and which commands of the
// mid-layer were seen on the wire as well. Not thread-safe: one thread at a time. A command of a
// nexus and LUN that were met before makes no allocation.
#pragma once

#include <lunscope/layers.h>
#include <lunscope/records.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "collector/model/applied.h"
#include "collector/model/commands.h"
#include "collector/model/connection.h"
#include "collector/model/nexus.h"
#include "collector/model/numbered.h"
#include "collector/model/series.h"
#include "collector/model/wire_join.h"

namespace lunscope {

class Layers {
 public:
  // Nexuses in the table: twice as many as the kernel half keeps. The one that was not used for
  // longest makes room.
  static constexpr size_t kMaxNexuses = 8192;

  // joins: look for the mid-layer's commands on the wire. series and commands: outlive this.
  Layers(Series& series, CommandCounter& commands, bool joins)
      : series_(series), commands_(commands), joins_(joins) {}

  Applied Apply(const lunscope_nexus_record& record);
  // The end of a command, or that its timer ran out.
  Applied Apply(const lunscope_scsi_command_record& record);
  // A command in flight, in a walk.
  void ApplyInFlight(const lunscope_scsi_command& command);

  // A command on the wire. REQUIRES: it comes before the mid-layer's record of the same command.
  void PutOnWire(const Connection& connection, const lunscope_command_record& record) {
    if (joins_ && connection.role == LUNSCOPE_ROLE_INITIATOR)
      wire_.Put(connection.target->first.name, record);
  }
  // The name of a host's iSCSI target, which the mid-layer does not know. If it comes after the
  // record of a nexus, commands that were counted before stay under the numbers of the host.
  void NameScsiHost(uint32_t host, const std::string& target);

  [[nodiscard]] const Nexus* Find(uint64_t id) const { return nexuses_.Find(id); }

 private:
  static constexpr size_t kRecent = 1024;

  Nexus& Lookup(uint64_t id);
  Nexus& Of(uint64_t id, uint8_t role);
  void MakeRoom();
  void DescribeDevice(Nexus& nexus, const lunscope_nexus_record& record);
  // Returns how long the command was on the wire.
  std::optional<OnWire> Join(const Nexus& nexus, LunStatistics& lun,
                             OperationStatistics& statistics,
                             const lunscope_command_record& command);

  Series& series_;
  CommandCounter& commands_;
  const bool joins_;
  Numbered<Nexus, kRecent> nexuses_;
  std::map<uint32_t, std::string> host_targets_;  // by SCSI host
  WireJoin wire_;
  uint64_t uses_ = 0;
};

}  // namespace lunscope
