// SPDX-License-Identifier: Apache-2.0
//
// The model's half of the SCSI layers: a nexus stands in the place of a connection, its commands
// are counted as those of iSCSI are, and what only the layers know comes on top.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "collector/base/printable.h"
#include "collector/model/model.h"

namespace lunscope {
namespace {

// Nexuses that are known at a time: twice as many as the kernel half knows.
constexpr size_t kMaxNexuses = 8192;

template <size_t kBytes>
std::string Text(const char (&bytes)[kBytes]) {
  const std::string_view all(bytes, kBytes);
  return PrintableTrimmed(all.substr(0, all.find('\0')));
}

// LIO's fabrics are called iSCSI and loopback, drivers iscsi_tcp: a label is in lower case.
std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string NameOf(const lunscope_nexus_record& record,
                   const std::map<uint32_t, std::string>& host_targets) {
  if (record.header.role == LUNSCOPE_ROLE_TARGET) return Text(record.target);
  const auto known = host_targets.find(record.host);
  if (known != host_targets.end()) return known->second;
  return fmt::format("{}:{}:{}", record.host, record.channel, record.id);
}

}  // namespace

void Model::ApplyNexus(const lunscope_nexus_record& record) {
  if (!connections_.contains(record.header.connection)) {
    if (nexuses_ >= kMaxNexuses) ForgetANexus();
    nexuses_++;
  }
  Connection& nexus = Lookup(record.header.connection);
  nexus = Connection();
  nexus.id = record.header.connection;
  nexus.role = record.header.role;
  nexus.last_used = ++records_of_layers_;
  const std::string name = NameOf(record, host_targets_);
  const std::string transport = LowerCase(Text(record.transport));
  SetTarget(nexus, {nexus.role, name.empty() ? kUnknownName : name,
                    transport.empty() ? kUnknownName : transport});
  nexus.initiator = Text(record.initiator);
  nexus.is_iscsi_host =
      nexus.role == LUNSCOPE_ROLE_INITIATOR && host_targets_.contains(record.host);
  if (nexus.role != LUNSCOPE_ROLE_INITIATOR) return;
  nexus.device =
      fmt::format("{}:{}:{}:{}", record.host, record.channel, record.id, FormatLun(record.lun));
  if (record.device_type == LUNSCOPE_UNKNOWN_DEVICE_TYPE) return;
  LunIdentity& identity = LunOf(nexus, record.lun).identity;
  identity.device_type = record.device_type;
  identity.vendor = Text(record.vendor);
  identity.product = Text(record.model);
}

void Model::ForgetANexus() {
  auto oldest = connections_.end();
  for (auto each = connections_.begin(); each != connections_.end(); ++each) {
    if (each->second.is_nexus() &&
        (oldest == connections_.end() || each->second.last_used < oldest->second.last_used))
      oldest = each;
  }
  if (oldest == connections_.end()) return;
  Forget(oldest);
  nexuses_--;
}

void Model::ApplyScsiCommand(const lunscope_scsi_command_record& record) {
  const lunscope_command_record& command = record.sensed.command;
  Connection& nexus = ConnectionOf(command.header);
  if (nexus.last_used == 0) nexuses_++;  // its own record was lost
  nexus.last_used = ++records_of_layers_;
  LunStatistics& lun = LunOf(nexus, command.lun);
  last_wire_ns_.reset();
  if (record.is_timeout != 0) {
    lun.timeouts++;
    return;
  }
  CountCommand(nexus, lun, command);
  if (record.host_status != 0) lun.host_errors[record.host_status]++;
  if (record.retries != 0) lun.retries++;
  if (!options_.joins_layers || !nexus.is_iscsi_host) return;
  last_wire_ns_ = wire_.Take(nexus.target->first.name, command);
  if (!last_wire_ns_) {
    lun.unjoined++;
    return;
  }
  OperationStatistics& statistics =
      OperationOf(nexus, lun, scsi_operation_of(command.cdb, DeviceType(nexus, command.lun)));
  statistics.above_wire_ns.Add(command.duration_ns - *last_wire_ns_);
  statistics.wire_ns += *last_wire_ns_;
}

void Model::ApplyTask(const lunscope_scsi_task& task) {
  lunscope_record header{};
  header.connection = task.nexus;
  header.role = task.role;
  Connection& nexus = ConnectionOf(header);
  if (nexus.last_used == 0) {
    nexuses_++;
    nexus.last_used = ++records_of_layers_;
  }
  LunStatistics& lun = LunOf(nexus, task.lun);
  lun.outstanding++;
  if (lun.oldest_start_ns == 0 || task.start_ns < lun.oldest_start_ns)
    lun.oldest_start_ns = task.start_ns;
}

}  // namespace lunscope
