// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/trace_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "collector/base/clock.h"
#include "collector/base/json.h"
#include "collector/base/record.h"
#include "collector/base/text_table.h"
#include "collector/lines/shared_keys.h"
#include "collector/model/cdb.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

// ---- facts ----

// The facts of a command, from which both its row and its object are made.
struct Facts {
  explicit Facts(const TracedCommand& traced)
      : record(traced.record),
        connection(traced.applied.connection),
        nexus(traced.applied.nexus),
        target(traced.applied.origin().target->first),
        verdict(traced.applied.verdict),
        on_wire(traced.applied.on_wire),
        backend_ns(traced.applied.backend_ns),
        retries(traced.retries),
        operation(traced.applied.operation),
        name(CommandName(record.cdb, traced.applied.device_type)),
        cdb(CdbOf(record, traced.applied)),
        extension(traced.applied.extension),
        lba(LbaOf(cdb, traced.applied.device_type)),
        blocks(BlocksOf(cdb, traced.applied.device_type)),
        epoch_ns(static_cast<int64_t>(record.header.time_ns) + traced.wall_clock_offset_ns),
        names(traced.names) {}

  [[nodiscard]] bool is_target() const { return record.header.role == LUNSCOPE_ROLE_TARGET; }

  const lunscope_command_record& record;
  // One of the two: a command seen as iSCSI has a connection, that of a SCSI layer a nexus.
  const Connection* connection;
  const Nexus* nexus;
  const TargetKey& target;
  const Verdict& verdict;
  const std::optional<InnerPart>& on_wire;  // of a command of the mid-layer, if it was found there
  std::optional<uint64_t> backend_ns;       // of a command on LIO's wire, if LIO's record was found
  uint8_t retries;
  scsi_operation operation;
  std::string name;
  std::span<const uint8_t> cdb;
  const CommandExtension* extension;  // or nullptr
  std::optional<uint64_t> lba;
  std::optional<uint64_t> blocks;
  int64_t epoch_ns;
  ShortNames* names;  // or nullptr
};

// REQUIRES: the command was found on the wire.
uint64_t AboveWireNs(const Facts& facts) {
  return facts.on_wire->before_ns + facts.on_wire->behind_ns;
}

// ---- to which commands a key applies ----

bool IsOfIscsi(const Facts& facts) { return facts.nexus == nullptr; }
bool IsOfLayer(const Facts& facts) { return facts.nexus != nullptr; }
bool HasDevice(const Facts& facts) { return IsOfLayer(facts) && !facts.nexus->device.empty(); }
bool HasInitiator(const Facts& facts) {
  return IsOfIscsi(facts) || !facts.nexus->initiator.empty();
}
bool HasInferredNames(const Facts& facts) {
  return IsOfIscsi(facts) && facts.connection->has_inferred_names();
}
bool HasLba(const Facts& facts) { return facts.lba.has_value(); }
bool HasBlocks(const Facts& facts) { return facts.blocks.has_value(); }
bool MovesData(const Facts& facts) {
  return (facts.record.command_flags & (ISCSI_COMMAND_READ | ISCSI_COMMAND_WRITE)) != 0;
}
bool IsBidirectional(const Facts& facts) {
  constexpr uint8_t kBothWays = ISCSI_COMMAND_READ | ISCSI_COMMAND_WRITE;
  return (facts.record.command_flags & kBothWays) == kBothWays;
}
bool HasExpectedRead(const Facts& facts) {
  return facts.extension != nullptr && facts.extension->expected_read_bytes.has_value();
}
bool IsCdbCut(const Facts& facts) { return CdbBytes(facts.cdb) > facts.cdb.size(); }
bool IsTimeout(const Facts& facts) { return !facts.verdict.is_end(); }
bool HasStatus(const Facts& facts) { return facts.verdict.has_status(); }
bool HasNoStatus(const Facts& facts) { return facts.verdict.end.no_status != 0; }
bool HasResponse(const Facts& facts) { return IsOfIscsi(facts) && !HasNoStatus(facts); }
std::string NoStatusCauseOf(const Facts& facts) {
  const CommandEnd& end = facts.verdict.end;
  return HasNoStatus(facts) ? NoStatusCause(end.no_status - 1, end.cause) : "";
}
bool HasNoStatusCause(const Facts& facts) { return !NoStatusCauseOf(facts).empty(); }
bool HasSense(const Facts& facts) { return facts.verdict.end.sense.valid; }
std::string SenseTextOf(const Facts& facts) {
  const scsi_sense& sense = facts.verdict.end.sense;
  return SenseText(sense.key, sense.asc, sense.ascq);
}
bool HasResidual(const Facts& facts) {
  return (facts.record.response_flags & (ISCSI_RESIDUAL_UNDERFLOW | ISCSI_RESIDUAL_OVERFLOW)) != 0;
}
bool HasBidiResidual(const Facts& facts) {
  return (facts.record.response_flags & (ISCSI_BIDI_UNDERFLOW | ISCSI_BIDI_OVERFLOW)) != 0;
}
// The target had less to transfer than the initiator expected, or more (RFC 7143 section 11.4.5).
const char* ResidualKind(const Facts& facts, uint8_t overflow_flag) {
  return (facts.record.response_flags & overflow_flag) != 0 ? "overflow" : "underflow";
}
bool HasHostStatus(const Facts& facts) { return facts.verdict.end.host_status != 0; }
bool IsRetried(const Facts& facts) { return facts.retries != 0; }
bool HasPhases(const Facts& facts) {
  return facts.record.known_phases != 0 || facts.on_wire.has_value();
}
bool HasR2ts(const Facts& facts) { return facts.record.r2ts != 0; }
bool HasRetransmits(const Facts& facts) { return facts.record.retransmits != 0; }
bool IsPhaseKnown(const Facts& facts, uint32_t slot) {
  return (facts.record.known_phases >> slot & 1) != 0;
}
// The time of LIO and its backend leaves the target's phase, once it is known.
uint64_t PhaseNs(const Facts& facts, uint32_t slot) {
  const uint64_t phase_ns = lunscope_phase_ns(&facts.record, slot);
  return slot == LUNSCOPE_PHASE_REST ? phase_ns - facts.backend_ns.value_or(0) : phase_ns;
}
bool IsOnWire(const Facts& facts) { return facts.on_wire.has_value(); }

// ---- the columns of the table ----

constexpr uint8_t kCommandColumns = 21;

// A tilde marks a name that does not come from a login.
std::string TargetText(const Facts& facts) {
  const std::string& target = facts.target.name;
  if (target == kUnknownName) return IsOfIscsi(facts) ? facts.connection->remote : "";
  const std::string& shown = facts.names != nullptr ? facts.names->Of(target) : target;
  return HasInferredNames(facts) ? "~" + shown : shown;
}

std::string EndText(const Facts& facts) {
  if (IsOfLayer(facts)) return facts.is_target() ? "lio" : "mid";
  return EndName(facts.record.header.role);
}

// A LUN in hex goes without the zero bytes at its end.
std::string LunText(const Facts& facts) {
  std::string text = FormatLun(facts.record.lun);
  while (text.size() > 6 && text.ends_with("0000")) text.resize(text.size() - 4);
  return text;
}

std::string TimeText(const Facts& facts) { return FormatTimeOfDay(facts.epoch_ns); }
std::string CommandText(const Facts& facts) { return facts.name; }
std::string LbaText(const Facts& facts) { return facts.lba ? fmt::to_string(*facts.lba) : ""; }
std::string BlocksText(const Facts& facts) {
  return facts.blocks ? fmt::to_string(*facts.blocks) : "";
}
std::string BytesText(const Facts& facts) {
  const uint64_t bytes = TransferredBytes(facts.record);
  return bytes != 0 ? fmt::to_string(bytes) : "";
}
std::string DurationText(const Facts& facts) { return FormatDuration(facts.record.duration_ns); }
std::string AboveWireText(const Facts& facts) {
  return IsOnWire(facts) ? FormatDuration(AboveWireNs(facts)) : "";
}
// The columns of the phases are named for both roles: a slot is another phase in each role, and
// about the same thing. Only two of them change their place.
template <lunscope_phase of_initiator, lunscope_phase of_target>
std::string PhaseText(const Facts& facts) {
  const uint32_t slot = (facts.is_target() ? of_target : of_initiator) % LUNSCOPE_PHASE_SLOTS;
  return IsPhaseKnown(facts, slot) ? FormatDuration(PhaseNs(facts, slot)) : "";
}
std::string BackendText(const Facts& facts) {
  return facts.backend_ns ? FormatDuration(*facts.backend_ns) : "";
}
std::string StatusText(const Facts& facts) { return facts.verdict.Words(); }

struct Column {
  const char* title;
  std::string (*text)(const Facts& facts);
  uint8_t width;  // a longer value is not cut: it pushes the columns behind it to the right
  Align align;
  bool TableColumns::*on_request = nullptr;
};

constexpr Column kTable[] = {
    {"TIME", TimeText, 15, Align::kLeft},
    {"END", EndText, 3, Align::kLeft},
    {"TARGET", TargetText, kTargetColumns, Align::kLeft},
    {"LUN", LunText, 4, Align::kRight},
    {"COMMAND", CommandText, kCommandColumns, Align::kLeft},
    {"LBA", LbaText, 11, Align::kRight},
    {"BLKS", BlocksText, 5, Align::kRight},
    {"BYTES", BytesText, 8, Align::kRight},
    {"DURATION", DurationText, 8, Align::kRight},
    {"ABOVE", AboveWireText, 8, Align::kRight, &TableColumns::wire},
    {"HEADER", PhaseText<LUNSCOPE_PHASE_SEND, LUNSCOPE_PHASE_ARRIVAL>, 8, Align::kRight,
     &TableColumns::phases},
    {"SOCKET", PhaseText<LUNSCOPE_PHASE_PICKUP, LUNSCOPE_PHASE_QUEUE>, 8, Align::kRight,
     &TableColumns::phases},
    {"DATA", PhaseText<LUNSCOPE_PHASE_DATA_OUT, LUNSCOPE_PHASE_TRANSFER_IN>, 8, Align::kRight,
     &TableColumns::phases},
    {"WAIT", PhaseText<LUNSCOPE_PHASE_WAIT, LUNSCOPE_PHASE_SERVICE>, 8, Align::kRight,
     &TableColumns::phases},
    {"BACKEND", BackendText, 8, Align::kRight, &TableColumns::backend},
    {"ANSWER", PhaseText<LUNSCOPE_PHASE_TRANSFER, LUNSCOPE_PHASE_TRANSFER_OUT>, 8, Align::kRight,
     &TableColumns::phases},
    {"STATUS", StatusText, 0, Align::kLeft},
};

// Calls text(column) for each column that is shown, and lines the answers up.
template <typename Text>
std::string Row(TableColumns columns, const Text& text) {
  std::string row;
  for (const Column& column : kTable) {
    if (column.on_request != nullptr && !(columns.*column.on_request)) continue;
    const std::string cell = text(column);
    const size_t blanks = std::max<size_t>(column.width, cell.size()) - cell.size();
    if (&column != std::begin(kTable)) row += ' ';
    if (column.align == Align::kRight) row.append(blanks, ' ');
    row += cell;
    if (column.align == Align::kLeft) row.append(blanks, ' ');
  }
  return row;
}

// ---- the keys of the object ----

double Microseconds(uint64_t ns) { return static_cast<double>(ns) / 1e3; }

// The phases of a command of the mid-layer, whose sum is its duration: those of the wire, and what
// the host takes before and behind them.
void AddPhasesOfHost(const InnerPart& part, json::Members& phases) {
  phases.Decimal("host_queue", Microseconds(part.before_ns), 3);
  for (uint32_t slot = 0; slot < LUNSCOPE_PHASE_SLOTS; slot++) {
    const uint32_t phase = lunscope_phase_of(LUNSCOPE_ROLE_INITIATOR, slot);
    // Reading the status lies behind the duration on the wire, within the completion.
    if (phase == LUNSCOPE_PHASE_PICKUP || (part.known_phases >> slot & 1) == 0) continue;
    phases.Decimal(PhaseLabel(phase), Microseconds(part.phase_ns[slot]), 3);
  }
  phases.Decimal("completion", Microseconds(part.behind_ns), 3);
}

struct Key {
  const char* name;
  bool (*applies)(const Facts& facts);  // nullptr: to every command
  void (*write)(json::Members& line, const char* name, const Facts& facts);
};

constexpr Key kKeys[] = {
    {"time", nullptr,
     [](auto& line, auto name, auto& facts) { line.String(name, FormatTime(facts.epoch_ns)); }},
    {"role", nullptr,
     [](auto& line, auto name, auto& facts) {
       line.String(name, RoleLabel(facts.record.header.role));
     }},
    {"source", IsOfLayer,
     [](auto& line, auto name, auto& facts) {
       line.String(name, facts.is_target() ? "target" : "scsi");
     }},
    {"transport", IsOfLayer,
     [](auto& line, auto name, auto& facts) { line.String(name, facts.target.transport); }},
    {"device", HasDevice,
     [](auto& line, auto name, auto& facts) { line.String(name, facts.nexus->device); }},
    {"initiator", HasInitiator,
     [](auto& line, auto name, auto& facts) {
       line.String(name, IsOfIscsi(facts) ? OrUnknown(facts.connection->initiator)
                                          : facts.nexus->initiator);
     }},
    {"target", nullptr,
     [](auto& line, auto name, auto& facts) { line.String(name, facts.target.name); }},
    {"names_from", HasInferredNames,
     [](auto& line, auto name, auto& facts) { line.String(name, facts.connection->names_from); }},
    {"local", IsOfIscsi,
     [](auto& line, auto name, auto& facts) {
       line.String(name, OrUnknown(facts.connection->local));
     }},
    {"remote", IsOfIscsi,
     [](auto& line, auto name, auto& facts) {
       line.String(name, OrUnknown(facts.connection->remote));
     }},
    {"process", IsOfIscsi,
     [](auto& line, auto, auto& facts) { AddProcess(line, facts.connection->process); }},
    {"lun", nullptr,
     [](auto& line, auto name, auto& facts) { line.String(name, FormatLun(facts.record.lun)); }},
    {"itt", IsOfIscsi,
     [](auto& line, auto name, auto& facts) { line.Number(name, facts.record.itt); }},
    {"cmdsn", IsOfIscsi,
     [](auto& line, auto name, auto& facts) { line.Number(name, facts.record.cmdsn); }},
    {"command", nullptr, [](auto& line, auto name, auto& facts) { line.String(name, facts.name); }},
    {"operation", nullptr,
     [](auto& line, auto name, auto& facts) {
       line.String(name, OperationLabel(facts.operation));
     }},
    {"cdb", nullptr,
     [](auto& line, auto name, auto& facts) {
       line.Hex(name, facts.cdb.first(std::min(CdbBytes(facts.cdb), facts.cdb.size())));
     }},
    {"cdb_missing_bytes", IsCdbCut,
     [](auto& line, auto name, auto& facts) {
       line.Number(name, CdbBytes(facts.cdb) - facts.cdb.size());
     }},
    {"lba", HasLba, [](auto& line, auto name, auto& facts) { line.Number(name, *facts.lba); }},
    {"blocks", HasBlocks,
     [](auto& line, auto name, auto& facts) { line.Number(name, *facts.blocks); }},
    {"expected_bytes", MovesData,
     [](auto& line, auto name, auto& facts) { line.Number(name, facts.record.expected_bytes); }},
    {"transferred_bytes", MovesData,
     [](auto& line, auto name, auto& facts) { line.Number(name, TransferredBytes(facts.record)); }},
    {"expected_read_bytes", HasExpectedRead,
     [](auto& line, auto name, auto& facts) {
       line.Number(name, *facts.extension->expected_read_bytes);
     }},
    {"read_bytes", IsBidirectional,
     [](auto& line, auto name, auto& facts) { line.Number(name, facts.record.read_bytes); }},
    {"written_bytes", IsBidirectional,
     [](auto& line, auto name, auto& facts) { line.Number(name, facts.record.written_bytes); }},
    {"status", HasStatus,
     [](auto& line, auto name, auto& facts) {
       line.String(name, StatusName(facts.verdict.end.status));
     }},
    {"no_status", HasNoStatus,
     [](auto& line, auto name, auto& facts) {
       line.String(name, NoStatusLabel(facts.verdict.end.no_status - 1));
     }},
    {"cause", HasNoStatusCause,
     [](auto& line, auto name, auto& facts) { line.String(name, NoStatusCauseOf(facts)); }},
    {"response", HasResponse,
     [](auto& line, auto name, auto& facts) {
       line.String(name, ResponseName(facts.record.response));
     }},
    {"sense", HasSense,
     [](auto& line, auto name, auto& facts) {
       line.Object(name, [&](json::Members& sense) {
         sense.Number("key", facts.verdict.end.sense.key);
         sense.Number("asc", facts.verdict.end.sense.asc);
         sense.Number("ascq", facts.verdict.end.sense.ascq);
         if (facts.verdict.end.sense.deferred != 0) sense.Flag("deferred", true);
         sense.String("text", SenseTextOf(facts));
       });
     }},
    {"residual_bytes", HasResidual,
     [](auto& line, auto name, auto& facts) { line.Number(name, facts.record.residual_bytes); }},
    {"residual", HasResidual,
     [](auto& line, auto name, auto& facts) {
       line.String(name, ResidualKind(facts, ISCSI_RESIDUAL_OVERFLOW));
     }},
    {"bidi_read_residual_bytes", HasBidiResidual,
     [](auto& line, auto name, auto& facts) {
       line.Number(name, facts.record.bidi_residual_bytes);
     }},
    {"bidi_read_residual", HasBidiResidual,
     [](auto& line, auto name, auto& facts) {
       line.String(name, ResidualKind(facts, ISCSI_BIDI_OVERFLOW));
     }},
    {"duration_us", nullptr,
     [](auto& line, auto name, auto& facts) {
       line.Decimal(name, Microseconds(facts.record.duration_ns), 3);
     }},
    {"phases_us", HasPhases,
     [](auto& line, auto name, auto& facts) {
       line.Object(name, [&](json::Members& phases) {
         if (facts.on_wire) return AddPhasesOfHost(*facts.on_wire, phases);
         for (uint32_t slot = 0; slot < LUNSCOPE_PHASE_SLOTS; slot++) {
           if (!IsPhaseKnown(facts, slot)) continue;
           phases.Decimal(PhaseLabel(lunscope_phase_of(facts.record.header.role, slot)),
                          Microseconds(PhaseNs(facts, slot)), 3);
         }
         if (facts.backend_ns) phases.Decimal("backend", Microseconds(*facts.backend_ns), 3);
       });
     }},
    {"r2ts", HasR2ts,
     [](auto& line, auto name, auto& facts) { line.Number(name, facts.record.r2ts); }},
    {"retransmits", HasRetransmits,
     [](auto& line, auto name, auto& facts) { line.Number(name, facts.record.retransmits); }},
    {"host_status", HasHostStatus,
     [](auto& line, auto name, auto& facts) {
       line.String(name, HostStatusName(facts.verdict.end.host_status));
     }},
    {"retries", IsRetried,
     [](auto& line, auto name, auto& facts) { line.Number(name, facts.retries); }},
    {"timed_out", IsTimeout, [](auto& line, auto name, auto&) { line.Flag(name, true); }},
    {"wire_us", IsOnWire,
     [](auto& line, auto name, auto& facts) {
       line.Decimal(name, Microseconds(facts.on_wire->within_ns), 3);
     }},
    {"above_wire_us", IsOnWire,
     [](auto& line, auto name, auto& facts) {
       line.Decimal(name, Microseconds(AboveWireNs(facts)), 3);
     }},
};

}  // namespace

std::string TableHeader(TableColumns columns) {
  return Row(columns, [](const Column& column) { return std::string(column.title); });
}

std::string TableRow(const TracedCommand& command) {
  const Facts facts(command);
  return Row(command.columns, [&](const Column& column) { return column.text(facts); });
}

std::string JsonObject(const TracedCommand& command) {
  const Facts facts(command);
  return json::Object([&](json::Members& line) {
    for (const Key& key : kKeys) {
      if (key.applies == nullptr || key.applies(facts)) key.write(line, key.name, facts);
    }
  });
}

}  // namespace lunscope
