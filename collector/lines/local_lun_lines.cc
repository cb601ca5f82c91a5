// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/local_lun_lines.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "collector/model/lun.h"

namespace lunscope {

void AddLocalLuns(json::Members& line, const LocalLuns& luns) {
  if (luns.empty()) return;
  line.Array("luns", [&](json::Elements& list) {
    for (const auto& [number, lun] : luns) {
      list.Object([&](json::Members& members) {
        members.String("lun", FormatLun(number));
        members.String("device", lun.device);
        if (!lun.multipath.empty()) members.String("multipath", lun.multipath);
        members.Array("mounts", [&](json::Elements& mounts) {
          for (const std::string& mount : lun.mounts) mounts.String(mount);
        });
        if (lun.more_mounts != 0) members.Number("more_mounts", lun.more_mounts);
      });
    }
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
