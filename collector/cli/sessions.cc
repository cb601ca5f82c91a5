// SPDX-License-Identifier: Apache-2.0
//
// `sessions`: the model is in the process of `lunscope serve`, so that process is asked.
#include <cstdio>
#include <string>
#include <utility>

#include "collector/cli/subcommand.h"
#include "collector/run/settings.h"
#include "collector/web/client.h"

namespace lunscope {
namespace {

class SessionsSubcommand : public Subcommand {
 public:
  OptionList Options() override {
    OptionList options = server_.Options();
    for (Option& option : output_.Options("Form of the list")) options.push_back(std::move(option));
    return options;
  }

  Result<ExitCode> Run() override {
    Result<std::string> text =
        Fetch(server_.address, output_.json ? kSessionsPath : kSessionsTablePath);
    if (!text.ok()) return text.error();
    std::fwrite(text.value().data(), 1, text.value().size(), stdout);
    return ExitCode::kOk;
  }

 private:
  AddressOptions server_;
  OutputOptions output_;
};

}  // namespace

const SubcommandEntry kSessionsSubcommand{
    "sessions",
    "List the sessions that a running `lunscope serve` sees, with their parameters",
    {{"lunscope sessions", "which sessions `lunscope serve` sees"},
     {"lunscope sessions -o json", "with every parameter, as JSON"},
     {"lunscope sessions --web.listen-address [::1]:13260", "`lunscope serve` listens there"}},
    MakeSubcommand<SessionsSubcommand>};

}  // namespace lunscope
