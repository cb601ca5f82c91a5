// SPDX-License-Identifier: Apache-2.0
#include "collector/cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collector/base/log.h"
#include "collector/base/output.h"
#include "collector/cli/subcommand.h"
#include "collector/cli/version.h"

namespace lunscope {
namespace {

constexpr const char* kDescription =
    "lunscope shows every SCSI command that this host sends or serves over iSCSI. Its programs run "
    "inside the kernel.";
constexpr const char* kEnd =
    "'lunscope SUBCOMMAND --help' shows the options of a subcommand, and more examples.\n"
    "Exit codes: 0 done, 1 failed, 2 usage, 3 the kernel lacks something, 4 not permitted, 10 "
    "findings "
    "of `diagnose`.";

// Where the texts of --help begin.
constexpr size_t kHelpColumn = 36;

#define LUNSCOPE_LIST_SUBCOMMAND(ENTRY) &(ENTRY),
constexpr const SubcommandEntry* kEntries[] = {LUNSCOPE_SUBCOMMANDS(LUNSCOPE_LIST_SUBCOMMAND)};
#undef LUNSCOPE_LIST_SUBCOMMAND

// A subcommand as CLI11 has it, and the object that its options are bound to.
struct Bound {
  CLI::App* app;
  std::unique_ptr<Subcommand> subcommand;
};

std::string FormatExamples(const std::vector<Example>& examples) {
  size_t width = 0;
  for (const Example& example : examples)
    width = std::max(width, std::string_view(example.words).size());
  std::string text = "Examples:\n";
  for (const Example& example : examples)
    fmt::format_to(std::back_inserter(text), "  {:<{}}  {}\n", example.words, width,
                   example.meaning);
  return text;
}

// "lunscope: --port must be a TCP port from 1 to 65535, not '70000'"
std::string RefusalText(const std::string& name, const std::string& refusal,
                        const std::vector<std::string>& texts) {
  return fmt::format("{} {}, not '{}'", name, refusal, fmt::join(texts, " "));
}

std::string HelpText(const Option& option) {
  if (option.default_text.empty()) return option.help;
  return fmt::format("{} (default: {})", option.help, option.default_text);
}

// Have CLI11 hand the texts of an option to it. refusal: where the first one is kept. CLI11 would
// take an exception, and our functions throw none.
void Bind(CLI::App& app, const Option& option, std::string& refusal) {
  const bool is_required = option.form == Option::Form::kPositional;
  const bool is_positional = is_required || option.form == Option::Form::kOptional;
  const std::string name = is_positional ? option.key : "--" + option.key;
  const std::string names = option.letter == 0 ? name : fmt::format("-{},{}", option.letter, name);
  const auto set = [name, set = option.set, &refusal](const std::vector<std::string>& texts) {
    const Refusal refused = set(texts);
    if (refused && refusal.empty()) refusal = RefusalText(name, *refused, texts);
  };
  if (option.form == Option::Form::kSwitch) {
    app.add_flag_callback(
        names, [set] { set({"true"}); }, option.help);
    return;
  }
  CLI::Option* bound = nullptr;
  if (is_positional) {
    bound = app.add_option_function<std::vector<std::string>>(names, set, HelpText(option))
                ->expected(-1);
  } else if (option.form == Option::Form::kRepeated) {
    bound = app.add_option_function<std::vector<std::string>>(names, set, HelpText(option))
                ->expected(1)
                ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
                ->allow_extra_args(false);
  } else {
    bound = app.add_option_function<std::string>(
        names, [set](const std::string& text) { set({text}); }, HelpText(option));
  }
  bound->type_name(option.value)->required(is_required);
}

// The first word, if it stands in the place of a subcommand that does not exist; else nullptr.
const char* UnknownSubcommand(const CLI::App& app, const std::vector<const char*>& words) {
  const bool is_word = words.size() > 1 && *words[1] != '\0' && *words[1] != '-';
  return is_word && app.get_subcommands().empty() ? words[1] : nullptr;
}

// CLI11 lists the words that it cannot place, and not in their order.
std::string UsageText(const CLI::App& app, const CLI::ParseError& error) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return error.what();
  const std::vector<std::string> left = app.remaining(true);
  if (left.empty()) return error.what();
  return left[0].starts_with('-') ? fmt::format("there is no option '{}'", left[0])
                                  : fmt::format("'{}' is one word too many", left[0]);
}

ExitCode Refuse(const CLI::App& app, const std::string& message) {
  const auto used = app.get_subcommands();
  Say(stderr, "lunscope: {}; see 'lunscope {}--help'\n", message,
      used.empty() ? "" : used[0]->get_name() + " ");
  return ExitCode::kUsage;
}

ExitCode Run(Subcommand& subcommand) {
  Status checked = subcommand.Check();
  Result<ExitCode> result = checked.ok() ? subcommand.Run() : checked.error();
  if (result.ok()) return result.value();
  Log(LogLevel::kError, result.error().message);
  return result.error().code;
}

// Output that cannot be written is a failure.
ExitCode Written(ExitCode code) {
  const bool is_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (is_written) return code;
  Say(stderr, "lunscope: cannot write to standard output; the output is incomplete\n");
  return code == ExitCode::kOk ? ExitCode::kFailure : code;
}

// "help trace" is "trace --help", as with other programs.
std::vector<const char*> TranslateHelp(int argc, const char* const* argv) {
  std::vector<const char*> words(argv, argv + argc);
  if (words.size() < 2 || std::string_view(words[1]) != "help") return words;
  words.erase(words.begin() + 1);
  words.push_back("--help");
  return words;
}

ExitCode ParseAndRun(CLI::App& app, const std::vector<Bound>& all, const std::string& refusal,
                     const std::vector<const char*>& words) {
  try {
    app.parse(static_cast<int>(words.size()), words.data());
  } catch (const CLI::ParseError& error) {
    // CLI11 does not name such a word, and shows help beside it.
    if (const char* word = UnknownSubcommand(app, words))
      return Refuse(app, fmt::format("there is no subcommand '{}'", word));
    if (error.get_exit_code() == 0) {  // --help, --version
      app.exit(error);
      return ExitCode::kOk;
    }
    return Refuse(app, refusal.empty() ? UsageText(app, error) : refusal);
  }
  if (!refusal.empty()) return Refuse(app, refusal);
  const auto used =
      std::ranges::find_if(all, [](const Bound& bound) { return bound.app->parsed(); });
  return Run(*used->subcommand);
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv) {
  CLI::App app(kDescription, "lunscope");
  app.require_subcommand(1);
  app.set_version_flag("-V,--version", VersionText, "Print the version");
  app.get_formatter()->column_width(kHelpColumn);
  std::string refusal;
  std::vector<Bound> all;
  std::vector<Example> first_examples;
  for (const SubcommandEntry* entry : kEntries) {
    all.push_back({app.add_subcommand(entry->name, entry->help), entry->make()});
    const Bound& bound = all.back();
    for (const Option& option : bound.subcommand->Options()) Bind(*bound.app, option, refusal);
    bound.app->footer(FormatExamples(entry->examples));
    first_examples.push_back(entry->examples.front());
  }
  app.footer(FormatExamples(first_examples) + kEnd);
  return static_cast<int>(Written(ParseAndRun(app, all, refusal, TranslateHelp(argc, argv))));
}

}  // namespace lunscope
