// SPDX-License-Identifier: Apache-2.0
#include "collector/model/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "collector/base/printable.h"

namespace lunscope {
namespace {

constexpr std::string_view kIscsiFabric = "iscsi";  // iSER as well

template <size_t kBytes>
std::string Text(const char (&bytes)[kBytes]) {
  const std::string_view all(bytes, kBytes);
  return PrintableTrimmed(all.substr(0, all.find('\0')));
}

// LIO calls a fabric iSCSI, a driver calls itself iscsi_tcp: a label is in lower case.
std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string OrUnknownName(const std::string& text) { return text.empty() ? kUnknownName : text; }

std::string NameOf(const lunscope_nexus_record& record,
                   const std::map<uint32_t, std::string>& host_targets) {
  if (record.header.role == LUNSCOPE_ROLE_TARGET) return Text(record.target);
  const auto known = host_targets.find(record.host);
  if (known != host_targets.end()) return known->second;
  return fmt::format("{}:{}:{}", record.host, record.channel, record.id);
}

int DeviceTypeOf(const Nexus& nexus, const LunStatistics& lun) {
  return TrustsIdentity(nexus, lun) ? lun.identity.device_type : kUnknownDeviceType;
}

}  // namespace

Nexus& Layers::Lookup(uint64_t id) {
  Nexus& nexus = nexuses_.At(id, [](Nexus&) {});
  nexus.last_used = ++uses_;
  if (nexuses_.all().size() > kMaxNexuses) MakeRoom();
  return nexus;
}

void Layers::MakeRoom() {
  const auto oldest = std::ranges::min_element(
      nexuses_.all(), {}, [](const auto& entry) { return entry.second.last_used; });
  series_.Release(oldest->second);
  nexuses_.Forget(oldest->first);
}

// The nexus of a command. Its target is unknown if the record that names it was lost.
Nexus& Layers::Of(uint64_t id, uint8_t role) {
  Nexus& nexus = Lookup(id);
  const bool is_news = role != LUNSCOPE_ROLE_UNKNOWN && nexus.role != role;
  if (nexus.target == nullptr || is_news) {
    nexus.role = role;
    series_.Assign(nexus, {role, kUnknownName, kUnknownName});
  }
  return nexus;
}

Applied Layers::Apply(const lunscope_nexus_record& record) {
  Nexus& nexus = Lookup(record.header.connection);
  nexus.role = record.header.role;
  series_.Assign(nexus, {nexus.role, OrUnknownName(NameOf(record, host_targets_)),
                         OrUnknownName(LowerCase(Text(record.transport)))});
  Series::Prove(nexus);
  nexus.initiator = Text(record.initiator);
  nexus.device.clear();
  nexus.is_iscsi = nexus.role == LUNSCOPE_ROLE_INITIATOR
                       ? host_targets_.contains(record.host)
                       : nexus.target->first.transport == kIscsiFabric;
  if (nexus.role == LUNSCOPE_ROLE_INITIATOR) DescribeDevice(nexus, record);
  return {.nexus = &nexus};
}

void Layers::DescribeDevice(Nexus& nexus, const lunscope_nexus_record& record) {
  nexus.device =
      fmt::format("{}:{}:{}:{}", record.host, record.channel, record.id, FormatLun(record.lun));
  nexus.host = record.host;
  nexus.lun = record.lun;
  if (record.device_type == LUNSCOPE_UNKNOWN_DEVICE_TYPE) return;
  LunIdentity& identity = series_.LunOf(nexus, record.lun).identity;
  identity.device_type = record.device_type;
  identity.vendor = Text(record.vendor);
  identity.product = Text(record.model);
}

void Layers::NameScsiHost(uint32_t host, const std::string& target) {
  std::string& known = host_targets_[host];
  if (known == target) return;
  known = target;
  for (auto& [id, nexus] : nexuses_.all()) {
    if (nexus.device.empty() || nexus.host != host) continue;
    const LunIdentity identity = series_.LunOf(nexus, nexus.lun).identity;
    series_.Assign(nexus, {nexus.role, target, nexus.target->first.transport});
    Series::Prove(nexus);
    series_.LunOf(nexus, nexus.lun).identity = identity;
    nexus.is_iscsi = true;
  }
}

Applied Layers::Apply(const lunscope_scsi_command_record& record) {
  const lunscope_command_record& command = record.sensed.command;
  Nexus& nexus = Of(command.header.connection, command.header.role);
  LunStatistics& lun = series_.LunOf(nexus, command.lun);
  Applied applied{.nexus = &nexus,
                  .lun = &lun,
                  .device_type = DeviceTypeOf(nexus, lun),
                  .verdict = Judge(record)};
  if (!applied.verdict.is_end()) {
    lun.timeouts++;
    return applied;
  }
  OperationStatistics& statistics = commands_.Count(nexus, lun, command, applied);
  if (record.retries != 0) lun.retries++;
  if (!nexus.is_iscsi) return applied;
  if (joins_.midlayer && nexus.role == LUNSCOPE_ROLE_INITIATOR)
    applied.on_wire = Join(nexus, lun, statistics, command);
  if (joins_.target && nexus.role == LUNSCOPE_ROLE_TARGET)
    lio_.Put(nexus.target->first.name, command);
  return applied;
}

std::optional<InnerPart> Layers::Join(const Nexus& nexus, LunStatistics& lun,
                                      OperationStatistics& statistics,
                                      const lunscope_command_record& command) {
  const std::optional<InnerPart> part = wire_.Take(nexus.target->first.name, command);
  if (part) {
    statistics.above_wire_ns.Add(part->before_ns + part->behind_ns);
    statistics.wire_ns += part->within_ns;
  } else {
    lun.unjoined++;
  }
  return part;
}

std::optional<uint64_t> Layers::TakeBackend(const Connection& connection,
                                            const lunscope_command_record& record) {
  if (!joins_.target || connection.role != LUNSCOPE_ROLE_TARGET) return std::nullopt;
  const std::optional<InnerPart> part = lio_.Take(connection.target->first.name, record);
  return part ? BackendNs(record, *part) : std::nullopt;
}

void Layers::ApplyInFlight(const lunscope_scsi_command& command) {
  series_.LunOf(Of(command.nexus, command.role), command.lun).CountInFlight(command.start_ns);
}

}  // namespace lunscope
