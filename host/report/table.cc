#include "report/table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "report/code_points.h"

namespace patchbay::host {
namespace {

size_t width_of(uint32_t c) {
  if ((c >= 0x300 && c <= 0x36f) || c == 0x200b || c == 0x200d || (c >= 0xfe00 && c <= 0xfe0f))
    return 0;
  const bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
                    (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
                    (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                    (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) ||
                    (c >= 0x20000 && c <= 0x3fffd);
  return wide ? 2 : 1;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.,-+eE%") == std::string::npos &&
         text.find_first_of("0123456789") != std::string::npos;
}

}  // namespace

Terminal Terminal::of(int fd) {
  Terminal terminal;
  terminal.is_terminal = isatty(fd) == 1;
  const char* no_color = std::getenv("NO_COLOR");
  terminal.color = terminal.is_terminal && !(no_color && *no_color);
  winsize size{};
  if (terminal.is_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0) terminal.width = size.ws_col;
  return terminal;
}

size_t display_width(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const CodePoint c = first_code_point(text);
    width += width_of(c.value);
    text.remove_prefix(c.bytes);
  }
  return width;
}

std::string cut_to_width(std::string_view text, size_t width) {
  if (display_width(text) <= width) return std::string(text);
  std::string out;
  size_t used = 0;
  while (!text.empty()) {
    const CodePoint c = first_code_point(text);
    if (used + width_of(c.value) + 1 > width) break;
    used += width_of(c.value);
    out += text.substr(0, c.bytes);
    text.remove_prefix(c.bytes);
  }
  return out + "…";
}

// As wide as the widest cell; too wide for the terminal, the widest columns give way first.
std::vector<size_t> Table::column_widths(const Terminal& terminal) const {
  constexpr size_t kNarrowest = 8;
  std::vector<size_t> widths(rows_[0].size(), 0);
  for (const auto& row : rows_) {
    for (size_t c = 0; c < widths.size(); ++c)
      widths[c] = std::max(widths[c], display_width(one_line(row[c])));
  }
  size_t total = 2 * (widths.size() - 1);
  for (const size_t width : widths) total += width;
  for (; terminal.width > 0 && total > terminal.width; --total) {
    auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= kNarrowest) break;
    --*widest;
  }
  return widths;
}

std::vector<bool> Table::columns_of_numbers() const {
  std::vector<bool> numbers(rows_[0].size(), rows_.size() > 1);
  for (size_t r = 1; r < rows_.size(); ++r) {
    for (size_t c = 0; c < numbers.size(); ++c) {
      const std::string& cell = rows_[r][c];
      if (!cell.empty() && cell != kNullCell && !is_number(cell)) numbers[c] = false;
    }
  }
  return numbers;
}

Printed Table::text(const Terminal& terminal) const {
  const std::vector<size_t> widths = column_widths(terminal);
  const std::vector<bool> right = columns_of_numbers();
  Printed out;
  for (size_t r = 0; r < rows_.size(); ++r) {
    std::string line;
    for (size_t c = 0; c < widths.size(); ++c) {
      const std::string cell = cut_to_width(one_line(rows_[r][c]), widths[c]);
      const std::string space(widths[c] - display_width(cell), ' ');
      line += right[c] ? space + cell : cell + space;
      if (c + 1 < widths.size()) line += "  ";
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    if (terminal.width > 0) line = cut_to_width(line, terminal.width);
    out.add(r == 0 && terminal.color ? Printed::painted("1", Printed(line)) : Printed(line), "\n");
  }
  return out;
}

std::string human_bytes(int64_t bytes) {
  const char* units[] = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1000 && unit < 4) {
    value /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

std::string human_count(int64_t n) {
  std::string digits = std::to_string(n);
  for (auto at = static_cast<int64_t>(digits.size()) - 3; at > (n < 0 ? 1 : 0); at -= 3) {
    digits.insert(static_cast<size_t>(at), 1, ',');
  }
  return digits;
}

}  // namespace patchbay::host
