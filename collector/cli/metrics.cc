// SPDX-License-Identifier: Apache-2.0
//
// `metrics`: the catalogue of the metrics. It needs no privileges.
#include <cstdio>
#include <string>

#include "collector/cli/subcommand.h"
#include "collector/metrics/catalogue_text.h"
#include "collector/run/settings.h"

namespace lunscope {
namespace {

class MetricsSubcommand : public Subcommand {
 public:
  OptionList Options() override { return output_.Options("Form of the list"); }

  Result<ExitCode> Run() override {
    const std::string text = output_.json ? CatalogueJson() : CatalogueText();
    std::fwrite(text.data(), 1, text.size(), stdout);
    return ExitCode::kOk;
  }

 private:
  OutputOptions output_;
};

}  // namespace

const SubcommandEntry kMetricsSubcommand{
    "metrics",
    "List all metrics, with their labels and what each value means",
    {{"lunscope metrics", "each metric with its labels"},
     {"lunscope metrics -o json", "the same for a program"}},
    MakeSubcommand<MetricsSubcommand>};

}  // namespace lunscope
