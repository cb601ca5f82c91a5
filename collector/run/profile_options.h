// SPDX-License-Identifier: Apache-2.0
//
// The option for the workload profile of LUNs.
#pragma once

#include "collector/base/result.h"
#include "collector/run/option.h"
#include "collector/run/settings.h"

namespace lunscope {

struct ProfileOptions {
  bool profiles = false;

  OptionList Options();
  // Where records come live.
  [[nodiscard]] Status Check(const Sources& sources, const CountingOptions& counting) const;
};

}  // namespace lunscope
