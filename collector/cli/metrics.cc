// SPDX-License-Identifier: Apache-2.0
//
// `metrics`: the catalogue of the metrics. It needs no privileges.
#include <cstdio>

#include "collector/cli/commands.h"
#include "collector/metrics/catalogue_text.h"

namespace lunscope {

Result<ExitCode> RunMetrics(const MetricsOptions& options) {
  const std::string text = options.json ? CatalogueJson() : CatalogueText();
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (std::fflush(stdout) != 0)
    return Error{ExitCode::kFailure, "cannot write the whole list to standard output"};
  return ExitCode::kOk;
}

}  // namespace lunscope
