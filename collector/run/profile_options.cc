// SPDX-License-Identifier: Apache-2.0
#include "collector/run/profile_options.h"

namespace lunscope {

OptionList ProfileOptions::Options() {
  return {SwitchOption("profile",
                       "Metrics of each LUN's workload: seek distance, interarrival time, queue "
                       "depth, alignment, sequential commands, FUA",
                       profiles)};
}

Status ProfileOptions::Check(const Sources& sources, const CountingOptions& counting) const {
  if (!profiles) return Nothing{};
  if (counting.aggregates_commands) {
    return Error{ExitCode::kUsage,
                 "--profile needs --mode records: commands that were added up have neither places "
                 "nor an order"};
  }
  if (!sources.iscsi) return Error{ExitCode::kUsage, "--profile is for --source iscsi"};
  return Nothing{};
}

}  // namespace lunscope
