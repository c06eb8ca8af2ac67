// Tables for people: columns as wide as they need, numbers to the right, cut to the terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/printed.h"

namespace patchbay::host {

struct Terminal {
  bool is_terminal = false;
  bool color = false;
  size_t width = 0;  // 0 = no limit

  static Terminal of(int fd);
};

// How a null looks in a cell, so that it is no empty text.
inline constexpr std::string_view kNullCell = "∅";

class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  Printed text(const Terminal& terminal) const;

 private:
  std::vector<size_t> column_widths(const Terminal& terminal) const;
  std::vector<bool> columns_of_numbers() const;

  std::vector<std::vector<std::string>> rows_;
};

// Columns of a terminal that UTF-8 text takes: wide East Asian characters count two, combining
// marks none.
size_t display_width(std::string_view text);
std::string cut_to_width(std::string_view text, size_t width);
std::string human_bytes(int64_t bytes);
std::string human_count(int64_t n);  // 1,234,567

}  // namespace patchbay::host
