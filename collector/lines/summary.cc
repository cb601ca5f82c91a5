// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "collector/base/clock.h"
#include "collector/base/record.h"
#include "collector/base/text_table.h"
#include "collector/names/names.h"

namespace lunscope {

void Summary::Add(const TracedCommand& command) {
  if (!command.applied.verdict.is_answered()) return;
  const lunscope_command_record& record = command.record;
  Key key{.role = record.header.role,
          .target = "",
          .lun = "",
          .name = CommandName(record.cdb, command.applied.device_type)};
  if (is_by_lun_) {
    key.target = command.applied.origin().target->first.name;
    key.lun = FormatLun(record.lun);
  }
  Row& row = rows_[key];
  row.bytes += TransferredBytes(record);
  row.errors += command.applied.verdict.is_error() ? 1 : 0;
  row.duration_ns.Add(record.duration_ns);
}

std::string Summary::Format() const {
  if (rows_.empty()) return {};
  std::vector<const decltype(rows_)::value_type*> sorted;
  for (const auto& row : rows_) sorted.push_back(&row);
  std::ranges::stable_sort(sorted, {}, [](const auto* entry) {
    const auto& [key, row] = *entry;
    // The largest count first.
    return std::tuple<uint8_t, const std::string&, const std::string&, uint64_t>(
        key.role, key.target, key.lun, ~row.duration_ns.count());
  });
  std::vector<TextTable::Column> columns = {{"ROLE"}};
  if (is_by_lun_) columns.insert(columns.end(), {{"TARGET"}, {"LUN", Align::kRight}});
  columns.push_back({"COMMAND"});
  for (const char* title : {"COUNT", "ERRORS", "BYTES", "MEAN", "P50", "P95", "P99", "MAX", "SUM"})
    columns.push_back({title, Align::kRight});
  TextTable table(std::move(columns));
  for (const auto* entry : sorted) {
    const auto& [key, row] = *entry;
    const Quantiles& duration_ns = row.duration_ns;
    std::vector<std::string> cells = {RoleLabel(key.role)};
    if (is_by_lun_) cells.insert(cells.end(), {key.target, key.lun});
    cells.push_back(key.name);
    for (const uint64_t number : {duration_ns.count(), row.errors, row.bytes})
      cells.push_back(fmt::to_string(number));
    for (const uint64_t ns : {duration_ns.mean(), duration_ns.At(0.5), duration_ns.At(0.95),
                              duration_ns.At(0.99), duration_ns.max(), duration_ns.sum()})
      cells.push_back(FormatDuration(ns));
    table.AddRow(std::move(cells));
  }
  return table.Format();
}

}  // namespace lunscope
