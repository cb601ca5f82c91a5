// SPDX-License-Identifier: Apache-2.0
//
// One thing that `lunscope check` finds out about a host: a line for a person, and the same as
// facts for a program. All texts are printable (base/printable.h).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "collector/base/result.h"

namespace lunscope {

enum class CheckState {
  kOk,
  kNote,     // good to know
  kWarning,  // lunscope will run, and will miss something
  kFailure,  // lunscope cannot run
};

using Fact = std::variant<bool, uint64_t, std::string, std::vector<std::string>>;

struct CheckResult {
  std::string group;  // "kernel", "hooks", "portals"; the findings of a group follow each other
  std::string name;   // "BTF", "tracepoint tcp_probe"; several findings may have the same name
  CheckState state;
  std::string detail;  // what was found; for a warning or failure, also what to do about it
  std::vector<std::pair<std::string, Fact>> facts = {};  // key and value
  ExitCode code = ExitCode::kOk;                         // with which a failure ends lunscope
};

}  // namespace lunscope
