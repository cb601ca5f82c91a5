// SPDX-License-Identifier: Apache-2.0
#include "collector/base/version.h"

#include <cstdio>

#include "collector/base/output.h"
#include "collector/cli/subcommand.h"
#include "collector/probe/probe.h"

namespace lunscope {
namespace {

class VersionSubcommand : public Subcommand {
 public:
  Result<ExitCode> Run() override {
    Say(stdout, "lunscope {} (revision {}, libbpf {})\n", kVersion, kRevision, LibbpfVersion());
    return ExitCode::kOk;
  }
};

}  // namespace

const SubcommandEntry kVersionSubcommand{
    "version",
    "Print the version",
    {{"lunscope version", "which lunscope, of which revision, with which libbpf"}},
    MakeSubcommand<VersionSubcommand>};

}  // namespace lunscope
