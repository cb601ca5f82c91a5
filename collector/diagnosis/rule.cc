// SPDX-License-Identifier: Apache-2.0
#include "collector/diagnosis/rule.h"

#include <algorithm>
#include <cassert>

namespace lunscope {

double Rule::Limit(std::string_view name) const {
  for (const Threshold& threshold : thresholds) {
    if (threshold.name == name) return threshold.value;
  }
  assert(false);
  return 0;
}

const std::vector<const Rule*>& AllRules() {
  static const std::vector<const Rule*> kAll = [] {
    std::vector<const Rule*> rules;
    for (const auto group : {LoginRules(), SessionRules(), FlowRules(), TimeRules(), WriteRules(),
                             LunRules(), SharingRules()}) {
      for (const Rule& rule : group) rules.push_back(&rule);
    }
    return rules;
  }();
  return kAll;
}

size_t RowOf(const Rule& rule) {
  return static_cast<size_t>(std::ranges::find(AllRules(), &rule) - AllRules().begin());
}

}  // namespace lunscope
