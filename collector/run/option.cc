// SPDX-License-Identifier: Apache-2.0
#include "collector/run/option.h"

#include <algorithm>

#include "collector/base/quantity.h"

namespace lunscope {
namespace {

using Texts = std::vector<std::string>;

// An option that takes one value. accept: takes the text, or says that it is not allowed.
Option ValueOption(std::string key, std::string value, std::string help, std::string allowed,
                   std::function<bool(const std::string&)> accept) {
  Option option;
  option.key = std::move(key);
  option.value = std::move(value);
  option.help = std::move(help);
  option.set = [accept = std::move(accept),
                allowed = std::move(allowed)](const Texts& texts) -> Refusal {
    if (texts.size() == 1 && accept(texts[0])) return std::nullopt;
    return "must be " + allowed;
  };
  return option;
}

// The largest unit that leaves a whole number: "1us", "1h".
std::string FormatLimit(uint64_t ns) {
  constexpr std::pair<uint64_t, const char*> kUnits[] = {
      {3'600'000'000'000, "h"}, {1'000'000'000, "s"}, {1'000'000, "ms"}};
  for (const auto& [size, name] : kUnits) {
    if (ns % size == 0) return fmt::format("{}{}", ns / size, name);
  }
  return fmt::format("{}us", ns / 1'000);
}

}  // namespace

Refusal SetOption(const OptionList& options, std::string_view key, const Texts& texts) {
  const auto option = std::ranges::find(options, key, &Option::key);
  if (option == options.end()) return "is not an option";
  return option->set(texts);
}

Option NumberOption(std::string key, std::string help, uint64_t from, uint64_t to,
                    NumberSetter set) {
  const std::string allowed = to == UINT64_MAX
                                  ? fmt::format("a whole number of {} or more", from)
                                  : fmt::format("a whole number from {} to {}", from, to);
  return ValueOption(std::move(key), "NUMBER", std::move(help), allowed,
                     [from, to, set = std::move(set)](const std::string& text) {
                       const auto number = ParseWholeNumber(text);
                       if (!number || *number < from || *number > to) return false;
                       set(*number);
                       return true;
                     });
}

Option DurationOption(std::string key, std::string help, uint64_t from_ns, uint64_t to_ns,
                      NumberSetter set) {
  const std::string range =
      to_ns == UINT64_MAX ? "above 0"
                          : fmt::format("from {} to {}", FormatLimit(from_ns), FormatLimit(to_ns));
  return ValueOption(std::move(key), "TIME", std::move(help),
                     fmt::format("a time {}, such as 10ms, 2s or 1.5 (seconds)", range),
                     [from_ns, to_ns, set = std::move(set)](const std::string& text) {
                       const auto ns = ParseDurationNs(text);
                       if (!ns || *ns < from_ns || *ns > to_ns) return false;
                       set(*ns);
                       return true;
                     });
}

Option SizeOption(std::string key, std::string help, std::string allowed,
                  std::function<bool(uint64_t)> set) {
  return ValueOption(std::move(key), "SIZE", std::move(help), std::move(allowed),
                     [set = std::move(set)](const std::string& text) {
                       const auto bytes = ParseBytes(text);
                       return bytes && set(*bytes);
                     });
}

Option SwitchOption(std::string key, std::string help, bool& field, bool value) {
  Option option = ValueOption(std::move(key), "", std::move(help), "true or false",
                              [&field, value, before = field](const std::string& text) {
                                if (text != "true" && text != "false") return false;
                                field = text == "true" ? value : before;
                                return true;
                              });
  option.form = Option::Form::kSwitch;
  return option;
}

Option TextOption(std::string key, std::string value, std::string help, std::string& field) {
  return ValueOption(std::move(key), std::move(value), std::move(help), "some text",
                     [&field](const std::string& text) {
                       field = text;
                       return !text.empty();
                     });
}

Option FilesOption(Option::Form form, std::string help, std::vector<std::string>& field) {
  Option option;
  option.key = "FILE";
  option.form = form;
  option.help = std::move(help);
  option.set = [&field](const std::vector<std::string>& texts) -> Refusal {
    field = texts;
    return std::nullopt;
  };
  return option;
}

Option WordOption(std::string key, std::string help, std::vector<std::string> words,
                  std::string default_word, WordSetter set) {
  const std::string allowed = fmt::format("{}", fmt::join(words, " or "));
  std::string value = fmt::format("{}", fmt::join(words, "|"));
  Option option =
      ValueOption(std::move(key), std::move(value), std::move(help), allowed,
                  [words = std::move(words), set = std::move(set)](const std::string& text) {
                    if (std::ranges::find(words, text) == words.end()) return false;
                    set(text);
                    return true;
                  });
  option.default_text = std::move(default_word);
  return option;
}

}  // namespace lunscope
