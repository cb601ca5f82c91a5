// SPDX-License-Identifier: Apache-2.0
//
// An option: a key, what it means, and how text becomes its value. The command line, a
// test, and later a file can set it. A group of options is a struct of settings that lists
// options bound to its own fields, so the group must outlive them and must not move.
//
// Each option refuses text with one short sentence that says what is allowed. The sentence does not
// name the option; whoever set it does, with the name it has there ("--port").
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lunscope {

// nullopt: the text was accepted. Else what is allowed: "must be a whole number from 1 to 65535".
using Refusal = std::optional<std::string>;

struct Option {
  enum class Form {
    kValue,       // takes one value
    kSwitch,      // takes none; its text is "true" or "false"
    kRepeated,    // may be given again, a value each time
    kPositional,  // has no key on a command line; one or more must be given
    kOptional,    // the same; none need be given
  };

  std::string key;  // "port" in a file, "--port" on a command line
  char letter = 0;  // "-o" on a command line; 0: no short form
  Form form = Form::kValue;
  std::string value;  // what stands for the value in help: "PORT"
  std::string help;
  std::string default_text;  // "": help names no default
  // All the texts that the option was given; the next call replaces them.
  std::function<Refusal(const std::vector<std::string>&)> set;
};

using OptionList = std::vector<Option>;

// Set the option of this key; for a file or a test. A key that no option has is refused, too.
Refusal SetOption(const OptionList& options, std::string_view key,
                  const std::vector<std::string>& texts);

// The kinds of options. The field holds the default; what is bound to it lives as long as it does.

// A whole number in a range. Number is any unsigned type, or an optional one.
using NumberSetter = std::function<void(uint64_t)>;
Option NumberOption(std::string key, std::string help, uint64_t from, uint64_t to,
                    NumberSetter set);
// A time in a range, in nanoseconds.
Option DurationOption(std::string key, std::string help, uint64_t from_ns, uint64_t to_ns,
                      NumberSetter set);
// A size in bytes. allowed: which ones, as words. set: returns false for another one.
Option SizeOption(std::string key, std::string help, std::string allowed,
                  std::function<bool(uint64_t)> set);
// A switch sets the field to this value.
Option SwitchOption(std::string key, std::string help, bool& field, bool value = true);
// Any text.
Option TextOption(std::string key, std::string value, std::string help, std::string& field);
// The names of files. form: kPositional or kOptional.
Option FilesOption(Option::Form form, std::string help, std::vector<std::string>& field);

// One of a few words.
using WordSetter = std::function<void(std::string_view)>;
Option WordOption(std::string key, std::string help, std::vector<std::string> words,
                  std::string default_word, WordSetter set);

// Appends the options of groups to a list.
template <typename... Groups>
OptionList OptionsOf(Groups&... groups) {
  OptionList options;
  const auto append = [&](OptionList more) {
    for (Option& option : more) options.push_back(std::move(option));
  };
  (append(groups.Options()), ...);
  return options;
}

}  // namespace lunscope
