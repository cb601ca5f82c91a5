// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/trace_line.h"

#include <fmt/format.h>
#include <lunscope/scsi.h>

#include <algorithm>
#include <array>

#include "collector/base/clock.h"
#include "collector/lines/json_line.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

constexpr size_t kColumns = 120;
constexpr size_t kTargetColumns = 16;
constexpr size_t kCommandColumns = 21;
constexpr size_t kWireColumns = 9;
constexpr const char* kCommandRow =
    "{:<15} {:<3} {:<16} {:>4} {:<21} {:>11} {:>5} {:>8} {:>8} {}{}";

// Disk, CD, optical memory, reduced and zoned disk: their LBA and blocks stand in the same places.
bool IsBlockDevice(int device_type) {
  constexpr std::array kTypes = {0x00, 0x05, 0x07, 0x0e, 0x14};
  return std::ranges::find(kTypes, device_type) != kTypes.end();
}

bool HasLba(const TracedCommand& command) {
  if (!scsi_has_lba(command.record.cdb)) return false;
  return command.device_type == kUnknownDeviceType ? !scsi_may_be_of_tape(command.record.cdb)
                                                   : IsBlockDevice(command.device_type);
}

std::string Microseconds(uint64_t ns) {
  return fmt::format("{:.3f}", static_cast<double>(ns) / 1e3);
}

// A LUN in hex without the zero bytes at its end.
std::string ShortLun(uint64_t lun) {
  std::string text = FormatLun(lun);
  while (text.size() > 6 && text.ends_with("0000")) text.resize(text.size() - 4);
  return text;
}

// The end of a name tells more than its beginning: "..:storage.disk1".
std::string Tail(const std::string& name, size_t columns) {
  return name.size() <= columns ? name : ".." + name.substr(name.size() - columns + 2);
}

const char* EndColumn(const TracedCommand& command) {
  const bool is_target = command.record.header.role == LUNSCOPE_ROLE_TARGET;
  if (command.layer) return is_target ? "lio" : "mid";
  return is_target ? "tgt" : "ini";
}

// The time above the wire, in its column.
std::string WireColumn(const TracedCommand& command) {
  if (!command.has_wire_column) return "";
  const bool is_joined = command.layer && command.layer->wire_ns;
  const uint64_t above_ns = is_joined ? command.record.duration_ns - *command.layer->wire_ns : 0;
  return fmt::format("{:>8} ", is_joined ? FormatDuration(above_ns) : "");
}

// The keys of a SCSI layer's command that iSCSI's has not.
void AddLayer(JsonLine& line, const TracedCommand& command) {
  const LayerFacts& layer = *command.layer;
  if (layer.host_status != 0) line.String("host_status", HostStatusName(layer.host_status));
  if (layer.retries != 0) line.Number("retries", layer.retries);
  if (layer.is_timeout) line.Flag("timed_out", true);
  if (!layer.wire_ns) return;
  line.Raw("wire_us", Microseconds(*layer.wire_ns));
  line.Raw("above_wire_us", Microseconds(command.record.duration_ns - *layer.wire_ns));
}

// A name that no login told is marked.
std::string TargetColumn(const Connection& connection) {
  const std::string& target = connection.target->first.name;
  if (target == kUnknownName) return Tail(connection.remote, kTargetColumns);
  return connection.has_inferred_names() ? "~" + Tail(target, kTargetColumns - 1)
                                         : Tail(target, kTargetColumns);
}

scsi_sense SenseOf(const lunscope_command_record& record) {
  if (record.sense_bytes == 0) return {};
  const auto& sensed = reinterpret_cast<const lunscope_sensed_command_record&>(record);
  return scsi_read_sense(sensed.sense, record.sense_bytes);
}

std::string Outcome(const TracedCommand& command) {
  const lunscope_command_record& record = command.record;
  if (command.layer && command.layer->is_timeout) return "Timed out";
  if (command.layer && command.layer->host_status != 0)
    return HostStatusName(command.layer->host_status);
  if (record.response != 0) return ResponseName(record.response);
  const scsi_sense sense = SenseOf(record);
  if (sense.valid) return fmt::format("Check {:x}/{:02x}/{:02x}", sense.key, sense.asc, sense.ascq);
  return StatusName(record.status);
}

}  // namespace

std::string FormatDuration(uint64_t ns) {
  const auto value = static_cast<double>(ns);
  // The limits are where one decimal rounds up to the next unit.
  if (ns < 999'950) return fmt::format("{:.1f}us", value / 1e3);
  if (ns < 999'950'000) return fmt::format("{:.1f}ms", value / 1e6);
  return fmt::format("{:.1f}s", value / 1e9);
}

std::string TableHeader(bool has_wire_column) {
  return fmt::format(kCommandRow, "TIME", "END", "TARGET", "LUN", "COMMAND", "LBA", "BLKS", "BYTES",
                     "DURATION", has_wire_column ? "   ABOVE " : "", "STATUS");
}

std::string TableRow(const TracedCommand& command) {
  const lunscope_command_record& record = command.record;
  const Connection& connection = command.connection;
  const bool has_lba = HasLba(command);
  const std::string name = CommandName(record.cdb, command.device_type);
  // Values that outgrow their columns push the status out at the end.
  return fmt::format(kCommandRow,
                     FormatTimeOfDay(static_cast<int64_t>(record.header.time_ns) +
                                     command.wall_clock_offset_ns),
                     EndColumn(command), TargetColumn(connection), ShortLun(record.lun),
                     name.substr(0, kCommandColumns),
                     has_lba ? fmt::to_string(scsi_lba(record.cdb)) : "",
                     has_lba ? fmt::to_string(scsi_blocks(record.cdb)) : "",
                     record.transferred_bytes != 0 ? fmt::to_string(record.transferred_bytes) : "",
                     FormatDuration(record.duration_ns), WireColumn(command), Outcome(command))
      .substr(0, kColumns + (command.has_wire_column ? kWireColumns : 0));
}

std::string JsonObject(const TracedCommand& command) {
  const lunscope_command_record& record = command.record;
  const Connection& connection = command.connection;
  JsonLine line;
  line.String("time", FormatTime(static_cast<int64_t>(record.header.time_ns) +
                                 command.wall_clock_offset_ns));
  line.String("role", RoleLabel(record.header.role));
  if (command.layer) {
    line.String("source", record.header.role == LUNSCOPE_ROLE_TARGET ? "target" : "scsi");
    line.String("transport", connection.target->first.transport);
    if (!connection.device.empty()) line.String("device", connection.device);
  }
  if (!command.layer || !connection.initiator.empty())
    line.String("initiator", OrUnknown(connection.initiator));
  line.String("target", connection.target->first.name);
  if (connection.has_inferred_names()) line.String("names_from", connection.names_from);
  if (!command.layer) {
    line.String("local", OrUnknown(connection.local));
    line.String("remote", OrUnknown(connection.remote));
    AddProcess(line, connection.process);
  }
  line.String("lun", FormatLun(record.lun));
  if (!command.layer) {
    line.Number("itt", record.itt);
    line.Number("cmdsn", record.cmdsn);
  }
  line.String("command", CommandName(record.cdb, command.device_type));
  line.String("cdb", Hex({record.cdb, scsi_cdb_bytes(record.cdb[0])}));
  if (HasLba(command)) {
    line.Number("lba", scsi_lba(record.cdb));
    line.Number("blocks", scsi_blocks(record.cdb));
  }
  if (record.command_flags & (ISCSI_COMMAND_READ | ISCSI_COMMAND_WRITE)) {
    line.Number("expected_bytes", record.expected_bytes);
    line.Number("transferred_bytes", record.transferred_bytes);
  }
  const bool has_status = record.response == 0 && (!command.layer || !command.layer->is_timeout);
  if (has_status) line.String("status", StatusName(record.status));
  if (!command.layer) line.String("response", ResponseName(record.response));
  if (const scsi_sense sense = SenseOf(record); sense.valid) {
    line.Raw("sense",
             fmt::format(R"({{"key":{},"asc":{},"ascq":{}}})", sense.key, sense.asc, sense.ascq));
  }
  if (record.response_flags & (ISCSI_RESIDUAL_UNDERFLOW | ISCSI_RESIDUAL_OVERFLOW))
    line.Number("residual_bytes", record.residual_bytes);
  line.Raw("duration_us", Microseconds(record.duration_ns));
  if (command.layer) AddLayer(line, command);
  return line.End();
}

}  // namespace lunscope
