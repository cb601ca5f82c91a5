// SPDX-License-Identifier: Apache-2.0
//
// What a run watches and shows, whoever chose it: a command line, a file, a test.
#pragma once

#include <cstdint>
#include <optional>

namespace lunscope {

// Where commands are watched.
struct Sources {
  bool iscsi = true;
  bool midlayer = false;
  bool target = false;

  [[nodiscard]] bool has_layers() const { return midlayer || target; }
};

// What is shown of commands, and of how many.
struct LineOptions {
  bool json = false;
  bool pdus = false;  // a JSON object for each PDU, instead of lines for commands
  bool summary = false;
  bool joins_layers = false;      // rows show the time above the wire
  std::optional<uint64_t> count;  // commands, or PDUs
};

}  // namespace lunscope
