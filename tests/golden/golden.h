// SPDX-License-Identifier: Apache-2.0
//
// Golden files: whole outputs, compared byte by byte, and the fixed scenes that they show.
//
// After an intended change, LUNSCOPE_UPDATE_GOLDEN=1 makes the tests write the files and fail, so
// that nobody leaves it set. `git diff` then shows what the change means to a reader of the output.
#pragma once

#include <string>
#include <vector>

#include "collector/lines/trace_line.h"
#include "collector/metrics/metrics.h"
#include "tests/model/host.h"

namespace lunscope {

// Expects that the text equals the golden file of this name.
void ExpectGolden(const std::string& name, const std::string& text);

// A host that is initiator and target. It has sessions up and down, commands that succeed and fail,
// names of every kind and every kind of loss. Each metric has a series in it.
Observation FixedObservation();

// Sessions of every kind, for the list of sessions.
class FixedSessions {
 public:
  FixedSessions();
  [[nodiscard]] const Model& model() const { return host_.model(); }
  static int64_t wall_clock_offset_ns();

 private:
  Host host_;
};

// One command for each kind of line, with the connection that carried it.
class FixedTrace {
 public:
  FixedTrace();
  [[nodiscard]] const std::vector<TracedCommand>& commands() const { return commands_; }

 private:
  Host host_;
  std::vector<lunscope_sensed_command_record> records_;
  std::vector<TracedCommand> commands_;
};

}  // namespace lunscope
