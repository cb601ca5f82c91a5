// SPDX-License-Identifier: Apache-2.0
//
// One thing that was found out of a host before lunscope is run there: a line for a person, and the
// same as facts for a program. All texts are printable.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "collector/base/result.h"

namespace lunscope {

enum class FindingState {
  kOk,
  kNote,     // good to know
  kWarning,  // something will not be seen
  kFailure,  // nothing will
};

using Fact = std::variant<bool, uint64_t, std::string, std::vector<std::string>>;

struct Finding {
  std::string group;  // "kernel", "hooks", "portals"; findings of one group come in a row
  std::string name;   // "BTF", "tracepoint tcp_probe"; several may have the same
  FindingState state;
  std::string detail;  // what was found, and what to do if it is bad
  std::vector<std::pair<std::string, Fact>> facts = {};
  ExitCode code = ExitCode::kOk;  // of a program that cannot go on because of a failure
};

}  // namespace lunscope
