// SPDX-License-Identifier: Apache-2.0
//
// `sessions`: the model is in the process of `lunscope serve`, so that process is asked.
#include <cstdio>
#include <string>
#include <utility>

#include "collector/base/printable.h"
#include "collector/cli/subcommand.h"
#include "collector/run/settings.h"
#include "collector/web/client.h"

namespace lunscope {
namespace {

class SessionsSubcommand : public Subcommand {
 public:
  OptionList Options() override {
    OptionList options = client_.Options();
    for (Option& option : output_.Options("Form of the list")) options.push_back(std::move(option));
    return options;
  }

  [[nodiscard]] Status Check() const override { return client_.Check(); }

  Result<ExitCode> Run() override {
    Result<FetchOptions> request = client_.Request();
    if (!request.ok()) return request.error();
    Result<std::string> text =
        Fetch(request.value(), output_.json ? kSessionsPath : kSessionsTablePath);
    if (!text.ok()) return text.error();
    // The server may be anybody's: what is no text stays off the terminal.
    const std::string shown = PrintableLines(text.value());
    std::fwrite(shown.data(), 1, shown.size(), stdout);
    return ExitCode::kOk;
  }

 private:
  ClientOptions client_;
  OutputOptions output_;
};

}  // namespace

const SubcommandEntry kSessionsSubcommand{
    "sessions",
    "List the sessions that a running `lunscope serve` sees, with their parameters",
    {{"lunscope sessions", "which sessions `lunscope serve` sees"},
     {"lunscope sessions -o json", "with every parameter, as JSON"},
     {"lunscope sessions --web.listen-address [::1]:13260", "`lunscope serve` listens there"},
     {"lunscope sessions --web.listen-address unix:/run/lunscope.sock", "or on a Unix socket"},
     {"lunscope sessions --web.tls --web.ca-file ca.pem --web.user-file me",
      "with TLS, as a user"}},
    MakeSubcommand<SessionsSubcommand>};

}  // namespace lunscope
