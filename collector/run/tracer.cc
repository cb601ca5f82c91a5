// SPDX-License-Identifier: Apache-2.0
#include "collector/run/tracer.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <span>

#include "collector/base/output.h"
#include "collector/base/record.h"
#include "collector/lines/pdu_line.h"
#include "collector/lines/trace_line.h"

namespace lunscope {
namespace {

constexpr uint64_t kEverything = std::numeric_limits<uint64_t>::max();

void Print(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

}  // namespace

Tracer::Tracer(const LineOptions& options, std::function<int64_t()> wall_clock_offset_ns)
    : options_(options),
      left_(options.count.value_or(std::numeric_limits<uint64_t>::max())),
      read_wall_clock_offset_ns_(std::move(wall_clock_offset_ns)),
      wall_clock_offset_ns_(read_wall_clock_offset_ns_()),
      summary_(options.is_summary_by_lun) {}

void Tracer::Begin() {
  if (!options_.json && !options_.pdus) Print(TableHeader(options_.joins_layers));
  std::fflush(stdout);
}

void Tracer::Announce(const lunscope_record& record, const Connection& connection) {
  if ((record.flags & LUNSCOPE_FLAG_INFERRED) != 0) {
    Say(stderr,
        "lunscope: the connection {} - {} is inferred: too few PDUs prove where PDUs begin\n",
        connection.local, connection.remote);
  }
  if ((record.flags & LUNSCOPE_FLAG_MIDSTREAM) == 0) return;
  if (!announced_.insert(record.connection).second) return;
  Say(stderr, "lunscope: the connection {} - {} was open before: its login was not seen\n",
      connection.local, connection.remote);
}

void Tracer::Take(const lunscope_record& record, const Applied& applied) {
  const Connection* connection = applied.connection;
  if (record.kind == LUNSCOPE_RECORD_CONNECTION) {
    if (record.flags & LUNSCOPE_FLAG_CLOSED) announced_.erase(record.connection);
    if (connection != nullptr) Announce(record, *connection);
  }
  if (connection == nullptr && applied.nexus == nullptr) return;
  if (left_ == 0) return;
  if (options_.pdus) {
    const auto* header = RecordAs<lunscope_header_record>(record);
    if (header != nullptr && connection != nullptr)
      TakeHeader(*header, *connection, applied.device_type);
    return;
  }
  if (const auto* command = RecordAs<lunscope_command_record>(record); command != nullptr)
    TakeCommand(*command, applied);
  if (const auto* scsi = RecordAs<lunscope_scsi_command_record>(record); scsi != nullptr)
    TakeCommand(scsi->sensed.command, applied, scsi->retries);
}

void Tracer::TakeCommand(const lunscope_command_record& command, const Applied& applied,
                         uint8_t retries) {
  left_--;
  const TracedCommand traced{command, applied, wall_clock_offset_ns_, retries,
                             options_.joins_layers};
  lines_.emplace_back(command.header.time_ns,
                      options_.json ? JsonObject(traced) : TableRow(traced));
  if (options_.summary) summary_.Add(traced);
}

void Tracer::TakeHeader(const lunscope_header_record& pdu, const Connection& connection,
                        int device_type) {
  left_--;
  const TracedPdu traced{std::span(pdu.bhs),
                         std::span(pdu.ahs, pdu.ahs_bytes),
                         pdu.header.role,
                         pdu.direction,
                         connection.local,
                         connection.remote,
                         static_cast<int64_t>(pdu.header.time_ns) + wall_clock_offset_ns_,
                         device_type};
  lines_.emplace_back(pdu.header.time_ns, JsonObject(traced));
}

bool Tracer::Flush(uint64_t until_ns) {
  std::ranges::stable_sort(lines_, {}, &Line::first);
  const auto end = std::ranges::lower_bound(lines_, until_ns, {}, &Line::first);
  for (auto line = lines_.begin(); line != end; ++line) Print(line->second);
  lines_.erase(lines_.begin(), end);
  wall_clock_offset_ns_ = read_wall_clock_offset_ns_();
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

void Tracer::End() {
  if (!Flush(kEverything) || !options_.summary) return;
  // The summary must not mix with JSON on standard output.
  Say(options_.json ? stderr : stdout, "\n{}", summary_.Format());
  std::fflush(stdout);
}

Error OutputError() {
  return {ExitCode::kFailure, "cannot write to standard output; the output is incomplete"};
}

}  // namespace lunscope
