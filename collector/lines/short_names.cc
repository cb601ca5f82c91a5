// SPDX-License-Identifier: Apache-2.0
#include "collector/lines/short_names.h"

#include <fmt/format.h>

#include <utility>

namespace lunscope {
namespace {

constexpr const char* kCut = "..";
constexpr size_t kCutColumns = 2;

// Where the end of a name begins that has at most so many characters: behind a separator, if there
// is one.
size_t EndOf(const std::string& name, size_t columns) {
  const size_t at = name.size() - columns;
  const size_t separator = name.find_first_of(".:", at - 1);
  return separator < name.size() - 1 ? separator + 1 : at;
}

}  // namespace

const std::string& ShortNames::Of(const std::string& name) {
  if (name.size() <= columns_) return name;
  std::string& shown = shorts_[name];
  if (!shown.empty()) return shown;
  const std::string plain_end = name.substr(EndOf(name, columns_ - kCutColumns));
  for (size_t& number = numbers_[plain_end]; shown.empty();) {
    const std::string mark = ++number == 1 ? "" : fmt::format("#{}", number);
    const size_t taken_columns = kCutColumns + mark.size();
    const size_t columns = columns_ > taken_columns ? columns_ - taken_columns : 1;
    const std::string end = kCut + name.substr(EndOf(name, columns)) + mark;
    if (taken_.insert(end).second) shown = end;
  }
  new_.push_back(fmt::format("{} is {}", shown, name));
  return shown;
}

std::vector<std::string> ShortNames::TakeNew() { return std::exchange(new_, {}); }

}  // namespace lunscope
