// SPDX-License-Identifier: Apache-2.0
//
// The LUNs of a report: which are slow, what they are, and how their durations are spread.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "collector/base/clock.h"
#include "collector/base/quantity.h"
#include "collector/names/names.h"
#include "collector/report/report.h"

namespace lunscope {
namespace {

constexpr size_t kMaxRows = 20;
constexpr size_t kMaxHistograms = 3;

struct LunRow {
  const TargetKey* target = nullptr;
  uint64_t number = 0;
  const LunStatistics* lun = nullptr;
  LatencyHistogram duration_ns;
  uint64_t no_status = 0;
  uint64_t p99_ns = 0;
};

LunRow RowOf(const TargetKey& target, uint64_t number, const LunStatistics& lun) {
  LunRow row{&target, number, &lun};
  for (const auto& operation : lun.operations) {
    if (operation) row.duration_ns.Merge(operation->duration_ns);
  }
  for (const auto& [reason, count] : lun.no_status) row.no_status += count;
  row.p99_ns = static_cast<uint64_t>(row.duration_ns.Quantile(0.99));
  return row;
}

uint64_t ErrorsOf(const LunStatistics& lun) {
  uint64_t errors = lun.target_failures;
  for (const auto& [what, count] : lun.errors) errors += count;
  for (const auto& [what, count] : lun.host_errors) errors += count;
  return errors;
}

uint64_t MeanOf(const LatencyHistogram& histogram) {
  const uint64_t count = histogram.count();
  return count == 0 ? 0 : histogram.sum() / count;
}

std::string NumberText(uint64_t number) {
  return number == kOverflowLun ? kOverflowName : FormatLun(number);
}

std::string EndText(const TargetKey& key) {
  const std::string role = RoleLabel(key.role);
  return key.transport.empty() ? role : fmt::format("{} ({})", role, key.transport);
}

void Append(std::string& text, std::string_view words, const std::string& value) {
  if (value.empty()) return;
  text += fmt::format("{}{}{}", text.empty() ? "" : ", ", words, value);
}

// "VENDOR PRODUCT, serial 1234, wwid naa.6001, sdb, a path of mpatha, mounted at /srv"
std::string IdentityText(const LunRow& row, const Snapshot& snapshot, StandIns& names) {
  const LunIdentity& identity = row.lun->identity;
  std::string text;
  if (!identity.vendor.empty())
    text = names.Of(NameKind::kProduct, identity.vendor + " " + identity.product);
  Append(text, "serial ", names.Of(NameKind::kSerial, identity.serial));
  Append(text, "wwid ", names.Of(NameKind::kWwid, identity.wwid));
  const auto here = snapshot.local_luns.find(*row.target);
  if (here == snapshot.local_luns.end()) return text;
  for (const auto& [number, local] : here->second) {
    if (CanonicalLun(number) != row.number) continue;
    Append(text, "", names.Of(NameKind::kDevice, local.device));
    Append(text, "a path of ", names.Of(NameKind::kDevice, local.multipath));
    for (const std::string& mount : local.mounts)
      Append(text, "mounted at ", names.Of(NameKind::kMount, mount));
  }
  return text;
}

std::vector<std::string> CellsOf(const LunRow& row, const Snapshot& snapshot, StandIns& names) {
  const LunStatistics& lun = *row.lun;
  return {EndText(*row.target),
          names.Of(NameKind::kTarget, row.target->name),
          NumberText(row.number),
          fmt::to_string(row.duration_ns.count()),
          fmt::to_string(ErrorsOf(lun)),
          fmt::to_string(row.no_status),
          fmt::to_string(lun.outstanding),
          fmt::to_string(lun.read_bytes),
          fmt::to_string(lun.written_bytes),
          FormatDuration(MeanOf(row.duration_ns)),
          FormatDuration(row.p99_ns),
          IdentityText(row, snapshot, names)};
}

// From the first bucket with a command to the last one.
ReportHistogram HistogramOf(const LunRow& row, StandIns& names) {
  ReportHistogram histogram{
      fmt::format("{} LUN {}, {}'s end", names.Of(NameKind::kTarget, row.target->name),
                  NumberText(row.number), EndText(*row.target)),
      {}};
  const auto& counts = row.duration_ns.counts();
  size_t first = 0;
  size_t last = 0;
  for (size_t i = counts.size(); i-- > 0;) {
    if (counts[i] == 0) continue;
    first = i;
    last = std::max(last, i);
  }
  for (size_t i = first; i <= last; i++) {
    const bool is_beyond = i == LUNSCOPE_LATENCY_BOUNDS;
    histogram.buckets.emplace_back(is_beyond ? "more" : FormatDuration(LatencyHistogram::Bound(i)),
                                   counts[i]);
  }
  return histogram;
}

}  // namespace

void AddLuns(const Snapshot& snapshot, StandIns& names, Report& report) {
  std::vector<LunRow> rows;
  for (const auto& [key, target] : snapshot.targets) {
    for (const auto& [number, lun] : target.luns) rows.push_back(RowOf(key, number, lun));
  }
  std::ranges::stable_sort(rows, std::ranges::greater(), &LunRow::p99_ns);
  ReportTable table{"LUNs, the slowest first",
                    "Durations are of commands with a status. p99 is read off a histogram whose "
                    "bounds double.",
                    {{"End"},
                     {"Target"},
                     {"LUN", Align::kRight},
                     {"Commands", Align::kRight},
                     {"Errors", Align::kRight},
                     {"Without a status", Align::kRight},
                     {"In flight", Align::kRight},
                     {"Bytes read", Align::kRight},
                     {"Bytes written", Align::kRight},
                     {"Mean", Align::kRight},
                     {"p99", Align::kRight},
                     {"Identity"}},
                    {}};
  for (const LunRow& row : rows) {
    if (table.rows.size() == kMaxRows) break;
    table.rows.push_back(CellsOf(row, snapshot, names));
    if (report.histograms.size() < kMaxHistograms && row.duration_ns.count() != 0)
      report.histograms.push_back(HistogramOf(row, names));
  }
  if (rows.empty()) table.note = "No command to a LUN was seen.";
  if (rows.size() > kMaxRows)
    table.note += fmt::format(" {} more are not listed.", rows.size() - kMaxRows);
  report.tables.push_back(std::move(table));
}

}  // namespace lunscope
