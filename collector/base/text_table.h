// SPDX-License-Identifier: Apache-2.0
//
// A table for people: each column is as wide as its longest cell, so no cell is cut. A value: one
// thread.
#pragma once

#include <string>
#include <vector>

namespace lunscope {

enum class Align : bool { kLeft, kRight };

class TextTable {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // below: lines, each with its line end, that stand below the row. REQUIRES: a cell for each
  // column.
  void AddRow(std::vector<std::string> cells, std::string below = {}) {
    rows_.push_back({std::move(cells), std::move(below)});
  }
  // The titles and the rows, a line each.
  [[nodiscard]] std::string Format() const;

 private:
  struct Row {
    std::vector<std::string> cells;
    std::string below;
  };

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace lunscope
