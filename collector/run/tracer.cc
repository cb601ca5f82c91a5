// SPDX-License-Identifier: Apache-2.0
#include "collector/run/tracer.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <limits>
#include <span>
#include <utility>

#include "collector/base/clock.h"
#include "collector/base/log.h"
#include "collector/base/output.h"
#include "collector/base/record.h"
#include "collector/diagnosis/report.h"
#include "collector/lines/event_line.h"
#include "collector/lines/pdu_line.h"
#include "collector/lines/trace_line.h"

namespace lunscope {
namespace {

constexpr uint64_t kEverything = std::numeric_limits<uint64_t>::max();

void PrintLine(FILE* to, const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), to);
  std::fputc('\n', to);
}

}  // namespace

Tracer::Tracer(const LineOptions& options, std::function<int64_t()> wall_clock_offset_ns)
    : options_(options),
      left_(options.count.value_or(std::numeric_limits<uint64_t>::max())),
      read_wall_clock_offset_ns_(std::move(wall_clock_offset_ns)),
      wall_clock_offset_ns_(read_wall_clock_offset_ns_()),
      days_(WallClockNs()),
      summary_(options.is_summary_by_lun) {}

void Tracer::Begin() {
  if (!options_.json)
    PrintLine(stdout, options_.pdus ? PduTableHeader() : TableHeader(options_.columns));
  std::fflush(stdout);
}

template <typename Traced>
std::string Tracer::TextOf(const Traced& traced) const {
  return options_.json ? JsonObject(traced) : TableRow(traced);
}

void Tracer::Print(const Line& line) {
  if (!options_.json) {
    const std::string day = days_.Above(static_cast<int64_t>(line.first) + wall_clock_offset_ns_);
    if (!day.empty()) PrintLine(stdout, day);
  }
  PrintLine(stdout, line.second);
}

// Explain the short names that rows have from here on. A reader of standard output alone needs
// that, wherever a name came up first.
void Tracer::PrintNames(std::FILE* to) {
  for (const std::string& line : names_.TakeNew()) {
    PrintLine(to, line);
    if (to != stdout) PrintLine(stdout, line);
  }
}

void Tracer::Announce(const lunscope_record& record, const Connection& connection) {
  if ((record.flags & LUNSCOPE_FLAG_INFERRED) != 0) {
    LogInfo("the connection {} - {} is inferred: too few PDUs prove where PDUs begin",
            connection.local, connection.remote);
  }
  if ((record.flags & LUNSCOPE_FLAG_MIDSTREAM) == 0) return;
  if (!announced_.insert(record.connection).second) return;
  LogInfo("the connection {} - {} was open before: its login was not seen", connection.local,
          connection.remote);
}

void Tracer::Take(const lunscope_record& record, const Applied& applied) {
  const Connection* connection = applied.connection;
  if (record.kind == LUNSCOPE_RECORD_CONNECTION) {
    if (record.flags & LUNSCOPE_FLAG_CLOSED) announced_.erase(record.connection);
    if (connection != nullptr) Announce(record, *connection);
  }
  if (left_ == 0) return;
  if (options_.events && !options_.pdus) TakeEvent(record, applied);
  if (connection == nullptr && applied.nexus == nullptr) return;
  if (options_.pdus) {
    if (connection != nullptr) TakePdu(record, *connection, applied.device_type);
    return;
  }
  if (const auto* command = RecordAs<lunscope_command_record>(record); command != nullptr)
    TakeCommand(*command, applied);
  if (const auto* scsi = RecordAs<lunscope_scsi_command_record>(record); scsi != nullptr)
    TakeCommand(scsi->sensed.command, applied, scsi->retries);
}

void Tracer::TakeEvent(const lunscope_record& record, const Applied& applied) {
  const std::optional<Event> event = EventOf(record, applied);
  if (!event) return;
  lines_.emplace_back(event->time_ns, options_.json
                                          ? EventJson(*event, wall_clock_offset_ns_)
                                          : EventRow(*event, wall_clock_offset_ns_, names_));
}

void Tracer::TakeFinding(const Finding& finding, uint64_t time_ns) {
  if (left_ == 0) return;
  lines_.emplace_back(time_ns, options_.json
                                   ? FindingLineJson(finding, time_ns, wall_clock_offset_ns_)
                                   : FindingRow(finding, time_ns, wall_clock_offset_ns_, names_));
}

void Tracer::TakeCommand(const lunscope_command_record& command, const Applied& applied,
                         uint8_t retries) {
  left_--;
  const TracedCommand traced{command, applied,          wall_clock_offset_ns_,
                             retries, options_.columns, &names_};
  lines_.emplace_back(command.header.time_ns, TextOf(traced));
  if (options_.summary) summary_.Add(traced);
}

// A Reject is shown with the header that it returns, which only the record of its data has.
void Tracer::TakePdu(const lunscope_record& record, const Connection& connection, int device_type) {
  const auto show = [&](std::span<const uint8_t, ISCSI_BHS_BYTES> bhs, std::span<const uint8_t> ahs,
                        uint8_t direction, std::span<const uint8_t> data) {
    const TracedPdu traced{bhs,
                           ahs,
                           record.role,
                           direction,
                           connection.local,
                           connection.remote,
                           static_cast<int64_t>(record.time_ns) + wall_clock_offset_ns_,
                           device_type,
                           data};
    left_--;
    lines_.emplace_back(record.time_ns, TextOf(traced));
  };
  if (const auto* header = RecordAs<lunscope_header_record>(record); header != nullptr) {
    if (iscsi_opcode(header->bhs) == ISCSI_REJECT && header->has_wrong_digest == 0) return;
    show(std::span(header->bhs), std::span(header->ahs, header->ahs_bytes), header->direction, {});
  } else if (const auto* pdu = RecordAs<lunscope_pdu_record>(record);
             pdu != nullptr && iscsi_opcode(pdu->bhs) == ISCSI_REJECT) {
    show(std::span(pdu->bhs), {}, pdu->direction, std::span(pdu->chunk, pdu->chunk_bytes));
  }
}

void Tracer::TakeOpen(const lunscope_record& record, const Applied& applied) {
  const auto* command = RecordAs<lunscope_command_record>(record);
  if (options_.pdus || command == nullptr || applied.connection == nullptr) return;
  const TracedCommand traced{*command, applied,          wall_clock_offset_ns_,
                             0,        options_.columns, &names_};
  open_.emplace_back(command->duration_ns, TextOf(traced));
}

void Tracer::PrintOpen(std::FILE* to) {
  PrintNames(to);
  std::ranges::stable_sort(open_, std::greater(), &Line::first);
  for (const Line& line : std::exchange(open_, {})) PrintLine(to, line.second);
}

void Tracer::SayOpen() {
  Say(stderr, "lunscope: {} {} in flight\n", open_.size(),
      open_.size() == 1 ? "command is" : "commands are");
  PrintOpen(stderr);
}

bool Tracer::Flush(uint64_t until_ns) {
  PrintNames(stdout);
  std::ranges::stable_sort(lines_, {}, &Line::first);
  const auto end = std::ranges::lower_bound(lines_, until_ns, {}, &Line::first);
  for (auto line = lines_.begin(); line != end; ++line) Print(*line);
  lines_.erase(lines_.begin(), end);
  wall_clock_offset_ns_ = read_wall_clock_offset_ns_();
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

void Tracer::End() {
  if (!Flush(kEverything)) return;
  if (!is_done()) PrintOpen(stdout);
  // The summary must not mix with JSON on standard output.
  if (options_.summary) Say(options_.json ? stderr : stdout, "\n{}", summary_.Format());
  std::fflush(stdout);  // before what is said of the whole run on standard error
}

}  // namespace lunscope
