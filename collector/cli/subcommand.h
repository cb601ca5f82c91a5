// SPDX-License-Identifier: Apache-2.0
//
// A subcommand: a name, help with examples, options and what to run. Each one is a file of its own,
// which defines one SubcommandEntry, and a line of LUNSCOPE_SUBCOMMANDS. Nobody else changes when a
// subcommand comes.
#pragma once

#include <memory>
#include <vector>

#include "collector/base/result.h"
#include "collector/run/option.h"

namespace lunscope {

// The entry of each subcommand, in the order of the help. A macro, so that one line declares the
// entry and lists it.
#define LUNSCOPE_SUBCOMMANDS(X) \
  X(kCheckSubcommand)           \
  X(kTraceSubcommand)           \
  X(kDiagnoseSubcommand)        \
  X(kSessionsSubcommand)        \
  X(kReplaySubcommand)          \
  X(kServeSubcommand)           \
  X(kMetricsSubcommand)         \
  X(kVersionSubcommand)

class Subcommand {
 public:
  virtual ~Subcommand() = default;

  // Bound to this object.
  virtual OptionList Options() { return {}; }
  // Do the options go together? Called when all of them are set.
  [[nodiscard]] virtual Status Check() const { return Nothing{}; }
  // Returns the program's exit code, or the error that ends it.
  // REQUIRES: Check() is ok.
  virtual Result<ExitCode> Run() = 0;
};

struct Example {
  const char* words;    // "lunscope trace --duration 10s"
  const char* meaning;  // "end after ten seconds"
};

struct SubcommandEntry {
  const char* name;
  const char* help;               // one line
  std::vector<Example> examples;  // the first is shown by `lunscope --help` as well
  std::unique_ptr<Subcommand> (*make)();
};

template <typename Kind>
std::unique_ptr<Subcommand> MakeSubcommand() {
  return std::make_unique<Kind>();
}

#define LUNSCOPE_DECLARE_SUBCOMMAND(ENTRY) extern const SubcommandEntry ENTRY;
LUNSCOPE_SUBCOMMANDS(LUNSCOPE_DECLARE_SUBCOMMAND)
#undef LUNSCOPE_DECLARE_SUBCOMMAND

}  // namespace lunscope
