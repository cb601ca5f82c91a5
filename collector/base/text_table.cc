// SPDX-License-Identifier: Apache-2.0
#include "collector/base/text_table.h"

#include <algorithm>

namespace lunscope {

std::string TextTable::Format() const {
  std::vector<std::string> titles;
  std::vector<size_t> widths;
  for (const Column& column : columns_) {
    titles.push_back(column.title);
    widths.push_back(column.title.size());
  }
  for (const Row& row : rows_) {
    for (size_t i = 0; i < widths.size(); i++) widths[i] = std::max(widths[i], row.cells[i].size());
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i < widths.size(); i++) {
      const std::string blanks(widths[i] - cells[i].size(), ' ');
      line += columns_[i].align == Align::kLeft ? cells[i] + blanks : blanks + cells[i];
      line += ' ';
    }
    line.resize(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  };
  add(titles);
  for (const Row& row : rows_) {
    add(row.cells);
    text += row.below;
  }
  return text;
}

}  // namespace lunscope
