// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "collector/base/clock.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

constexpr size_t kNameColumns = 36;
constexpr const char* kSummaryRow = "{:<9} {:<36} {:>9} {:>7} {:>14} {:>9} {:>9} {:>9} {:>9}\n";

}  // namespace

void Summary::Add(const TracedCommand& command) {
  const lunscope_command_record& record = command.record;
  Row& row = rows_[{record.header.role, CommandName(record.cdb, command.applied.device_type)}];
  row.bytes += record.transferred_bytes;
  row.errors += command.applied.verdict.is_error() ? 1 : 0;
  row.duration_ns.Add(record.duration_ns);
}

std::string Summary::Format() const {
  if (rows_.empty()) return {};
  std::vector<const decltype(rows_)::value_type*> sorted;
  for (const auto& row : rows_) sorted.push_back(&row);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    return std::pair(a->first.first, b->second.duration_ns.count()) <
           std::pair(b->first.first, a->second.duration_ns.count());
  });
  std::string text = fmt::format(kSummaryRow, "ROLE", "COMMAND", "COUNT", "ERRORS", "BYTES", "P50",
                                 "P95", "P99", "MAX");
  for (const auto* entry : sorted) {
    const auto& [key, row] = *entry;
    fmt::format_to(std::back_inserter(text), kSummaryRow, RoleLabel(key.first),
                   key.second.substr(0, kNameColumns), row.duration_ns.count(), row.errors,
                   row.bytes, FormatDuration(row.duration_ns.At(0.5)),
                   FormatDuration(row.duration_ns.At(0.95)),
                   FormatDuration(row.duration_ns.At(0.99)), FormatDuration(row.duration_ns.max()));
  }
  return text;
}

}  // namespace lunscope
