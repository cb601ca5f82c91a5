// SPDX-License-Identifier: Apache-2.0
#include "collector/cli/version.h"

#include <fmt/format.h>

#include <cstdio>

#include "collector/base/output.h"
#include "collector/base/version.h"
#include "collector/cli/subcommand.h"
#include "collector/probe/probe.h"

namespace lunscope {
namespace {

class VersionSubcommand : public Subcommand {
 public:
  Result<ExitCode> Run() override {
    Say(stdout, "{}\n", VersionText());
    return ExitCode::kOk;
  }
};

}  // namespace

std::string VersionText() {
  return fmt::format("lunscope {} (revision {}, libbpf {})", kVersion, kRevision, LibbpfVersion());
}

const SubcommandEntry kVersionSubcommand{
    "version",
    "Print the version",
    {{"lunscope version", "which lunscope, of which revision, with which libbpf"}},
    MakeSubcommand<VersionSubcommand>};

}  // namespace lunscope
