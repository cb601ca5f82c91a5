// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/local_lun_lines.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "collector/model/lun.h"

namespace lunscope {
namespace {

void FillLocalLun(json::Members& line, uint64_t number, const LocalLun& lun) {
  line.String("lun", FormatLun(number));
  line.String("device", lun.device);
  if (!lun.multipath.empty()) line.String("multipath", lun.multipath);
  line.Array("mounts", [&](json::Elements& mounts) {
    for (const std::string& mount : lun.mounts) mounts.String(mount);
  });
  if (lun.more_mounts != 0) line.Number("more_mounts", lun.more_mounts);
}

}  // namespace

void AddLocalLuns(json::Members& line, const LocalLuns& luns) {
  if (luns.empty()) return;
  line.Array("luns", [&](json::Elements& list) {
    for (const auto& [number, lun] : luns) list.Object(FillLocalLun, number, lun);
  });
}

std::string LocalLunLines(const LocalLuns& luns) {
  std::string lines;
  for (const auto& [number, lun] : luns) {
    lines += fmt::format("    LUN {} is {}", FormatLun(number), lun.device);
    if (!lun.multipath.empty()) lines += fmt::format(", a path of {}", lun.multipath);
    if (!lun.mounts.empty()) lines += fmt::format(", mounted at {}", fmt::join(lun.mounts, ", "));
    if (lun.more_mounts != 0) lines += fmt::format(" and {} more", lun.more_mounts);
    lines += "\n";
  }
  return lines;
}

}  // namespace lunscope
