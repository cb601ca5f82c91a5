// SPDX-License-Identifier: Apache-2.0
#include "collector/cli/tracer.h"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "collector/base/output.h"
#include "collector/report/trace_line.h"

namespace lunscope {
namespace {

void Print(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

}  // namespace

Tracer::Tracer(const LineOptions& options, std::function<int64_t()> wall_clock_offset_ns)
    : options_(options),
      left_(options.count.value_or(std::numeric_limits<uint64_t>::max())),
      read_wall_clock_offset_ns_(std::move(wall_clock_offset_ns)),
      wall_clock_offset_ns_(read_wall_clock_offset_ns_()) {}

void Tracer::Begin() {
  if (!options_.json) Print(TableHeader());
  std::fflush(stdout);
}

void Tracer::Take(const lunscope_event& event, const Model& model) {
  const Connection* connection = model.FindConnection(event.connection);
  if (connection == nullptr) return;
  if (event.kind == LUNSCOPE_EVENT_CONNECTION && (event.flags & LUNSCOPE_FLAG_MIDSTREAM) &&
      announced_.insert(event.connection).second) {
    Say(stderr, "lunscope: the connection {} - {} was open before: its names are unknown\n",
        connection->local, connection->remote);
  }
  if (event.kind != LUNSCOPE_EVENT_COMMAND || left_ == 0) return;
  left_--;
  const auto& command = reinterpret_cast<const lunscope_command_event&>(event);
  const LunIdentity* identity = model.FindIdentity(*connection, command.lun);
  const TracedCommand traced{command, *connection,
                             identity != nullptr ? identity->device_type : kUnknownDeviceType,
                             wall_clock_offset_ns_};
  lines_.emplace_back(command.header.time_ns,
                      options_.json ? JsonObject(traced) : TableRow(traced));
  if (options_.summary) summary_.Add(traced);
}

bool Tracer::Flush() {
  std::ranges::stable_sort(lines_, {}, &Line::first);
  for (const auto& [time_ns, line] : lines_) Print(line);
  lines_.clear();
  wall_clock_offset_ns_ = read_wall_clock_offset_ns_();
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

void Tracer::End() {
  if (!Flush() || !options_.summary) return;
  // With JSON on standard output the summary must not mix with it.
  Say(options_.json ? stderr : stdout, "\n{}", summary_.Format());
  std::fflush(stdout);
}

}  // namespace lunscope
