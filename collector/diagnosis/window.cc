// SPDX-License-Identifier: Apache-2.0
#include "collector/diagnosis/window.h"

#include <algorithm>

#include "collector/diagnosis/rule.h"

namespace lunscope {

uint64_t Window::Ago(double seconds) const {
  const auto ns = static_cast<uint64_t>(seconds * static_cast<double>(kSecondNs));
  return now_ns > ns ? now_ns - ns : 0;
}

// A look has the connections in the order of their numbers.
const ConnectionLook* Window::FindConnection(uint64_t id) const {
  const auto found = std::ranges::lower_bound(connections, id, {}, &ConnectionLook::id);
  return found != connections.end() && found->id == id ? &*found : nullptr;
}

bool AreSlow(const Figures& grown, uint64_t busy_ns, double least_ms) {
  constexpr double kNsPerByte = 50;  // of a disk that moves 20 MB/s
  const uint64_t commands = DataCommands(grown);
  const double moving_ns = kNsPerByte * static_cast<double>(Mean(grown[kDataBytes], commands));
  return commands != 0 &&
         static_cast<double>(Mean(busy_ns, commands)) >= least_ms * 1e6 + moving_ns;
}

void GroupByLun(Window& window) {
  for (const auto& [key, strand] : window.strands.all()) {
    const Figures grown = strand.Grown();
    if (strand.now == strand.base) continue;
    const Subject& subject = strand.subject;
    LunView& view = window.luns[{subject.role, subject.target, key.second}];
    view.subject = {subject.role, subject.target, "", "", key.second};
    for (size_t figure = 0; figure < kFigures; figure++) view.grown[figure] += grown[figure];
    view.strands.push_back(&strand);
  }
}

}  // namespace lunscope
