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
#include "collector/model/layer_join.h"
#include "collector/model/nexus.h"
#include "collector/model/numbered.h"
#include "collector/model/series.h"

namespace lunscope {

// The layers whose commands are looked for on the wire.
struct Joins {
  bool midlayer = false;
  bool target = false;
};

class Layers {
 public:
  // Nexuses in the table: twice as many as the kernel half keeps. The one that was not used for
  // longest makes room.
  static constexpr size_t kMaxNexuses = 8192;

  // joins: which layers have commands that are on the wire, too. series and commands: outlive this.
  Layers(Series& series, CommandCounter& commands, Joins joins)
      : series_(series), commands_(commands), joins_(joins) {}

  Applied Apply(const lunscope_nexus_record& record);
  // The end of a command, or that its timer ran out.
  Applied Apply(const lunscope_scsi_command_record& record);
  // A command in flight, in a walk.
  void ApplyInFlight(const lunscope_scsi_command& command);

  // A command on the wire. REQUIRES: it comes before the mid-layer's record of the same command.
  void PutOnWire(const Connection& connection, const lunscope_command_record& record) {
    if (joins_.midlayer && connection.role == LUNSCOPE_ROLE_INITIATOR)
      wire_.Put(connection.target->first.name, record);
  }
  // The time that LIO and its backend had a command on the wire of a target; nullopt: not known.
  // REQUIRES: LIO's record of the command came before.
  std::optional<uint64_t> TakeBackend(const Connection& connection,
                                      const lunscope_command_record& record);
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
  std::optional<InnerPart> Join(const Nexus& nexus, LunStatistics& lun,
                                OperationStatistics& statistics,
                                const lunscope_command_record& command);

  Series& series_;
  CommandCounter& commands_;
  const Joins joins_;
  Numbered<Nexus, kRecent> nexuses_;
  std::map<uint32_t, std::string> host_targets_;  // by SCSI host
  LayerJoin wire_;                                // within the mid-layer
  LayerJoin lio_;                                 // within the wire
  uint64_t uses_ = 0;
};

}  // namespace lunscope
