// SPDX-License-Identifier: Apache-2.0
//
// Golden files: output that is compared as a whole, and the fixed scene that most of it is of.
//
// After an intended change, LUNSCOPE_UPDATE_GOLDEN=1 writes the files anew (and fails, so that
// nobody leaves it set); `git diff` then shows what the change does to those who read the output.
#pragma once

#include <string>
#include <vector>

#include "collector/lines/trace_line.h"
#include "collector/metrics/metrics.h"
#include "tests/model/host.h"

namespace lunscope {

// Expects that the text is what the golden file of this name holds.
void ExpectGolden(const std::string& name, const std::string& text);

// A host that is initiator and target, with sessions up and down, good and bad commands, names of
// every kind and every loss: each metric has a series in it.
Observation FixedObservation();

// Sessions of every kind, for their list.
class FixedSessions {
 public:
  FixedSessions();
  [[nodiscard]] const Model& model() const { return host_.model(); }
  static int64_t wall_clock_offset_ns();

 private:
  Host host_;
};

// One command for every kind of line, and the connection that it was seen on.
class FixedTrace {
 public:
  FixedTrace();
  [[nodiscard]] const std::vector<TracedCommand>& commands() const { return commands_; }

 private:
  Host host_;
  std::vector<lunscope_sensed_command_record> events_;
  std::vector<TracedCommand> commands_;
};

}  // namespace lunscope
