#include "csv_rows.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "csv_refused.h"
#include "patchbay/json_text.h"
#include "patchbay/text_value.h"

namespace patchbay {
namespace {

bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const size_t point = text.find_first_not_of("0123456789");
  if (point == std::string_view::npos) return !text.empty();
  return text[point] == '.' && point > 0 && point + 1 < text.size() &&
         text.find_first_not_of("0123456789", point + 1) == std::string_view::npos;
}

class Conversion {
 public:
  Conversion(CsvBlock block, const CsvPlan& plan)
      : block_(std::move(block)), plan_(plan), batch_(plan.schema) {}

  ConvertedRows run() {
    if (!plan_.unwanted.empty()) {
      for (const auto& row : block_.rows)
        refuse(row, "unknown_field", plan_.unwanted + ": unknown column", plan_.unwanted);
      block_.rows.clear();
      block_.fields.clear();
    }
    if (!is_clean()) refuse_unreadable();
    refuse_ragged();
    batch_.reserve(static_cast<int64_t>(block_.rows.size()));
    while (!fill()) batch_.truncate(0);
    return {batch_.finish(), placed()};
  }

 private:
  struct Refused {
    CsvBlock::Record record;
    std::string code, reason, column;
  };

  bool is_clean() const {
    const std::string& text = block_.text;
    return simdjson::validate_utf8(text.data(), text.size()) &&
           std::memchr(text.data(), 0, text.size()) == nullptr;
  }

  void refuse_unreadable() {
    drop_rows([this](size_t row) {
      const std::string_view text = block_.record(block_.rows[row]);
      if (!is_utf8(text)) {
        refuse(block_.rows[row], "encoding",
               "the text is no UTF-8; set encoding to the file's own, such as windows-1252", "");
        return true;
      }
      if (text.find('\0') == std::string_view::npos) return false;
      refuse(block_.rows[row], "encoding",
             "there is a NUL character; a file of UTF-16 needs encoding: utf-16", "");
      return true;
    });
  }

  void refuse_ragged() {
    for (const auto& one : block_.ragged) {
      const size_t columns = block_.columns;
      const bool few = one.fields < columns;
      refuse(one.record, "columns",
             std::to_string(one.fields) + " fields where there are " + std::to_string(columns) +
                 " columns",
             few ? plan_.names[one.fields] : std::to_string(columns + 1));
    }
  }

  // False where rows had to be left out: once more without them.
  bool fill() {
    std::vector<uint32_t> bad;
    std::vector<int> column_of(block_.rows.size(), -1);
    for (size_t i = 0; i < plan_.columns.size(); ++i) {
      ColumnBuilder& column = batch_.column(i);
      if (plan_.places[i] < 0) {
        for (size_t row = 0; row < block_.rows.size(); ++row) column.append_null();
        continue;
      }
      const size_t before = bad.size();
      plan_.columns[i].fill(block_, static_cast<size_t>(plan_.places[i]), plan_.dialect, column,
                            bad);
      for (size_t at = before; at < bad.size(); ++at) {
        if (column_of[bad[at]] < 0) column_of[bad[at]] = static_cast<int>(i);
      }
    }
    if (bad.empty()) return true;
    drop_rows([&](size_t row) {
      if (column_of[row] < 0) return false;
      refuse_value(row, static_cast<size_t>(column_of[row]));
      return true;
    });
    return false;
  }

  void refuse_value(size_t row, size_t column) {
    const Field& field = plan_.schema->fields[column];
    const size_t place = row * block_.columns + static_cast<size_t>(plan_.places[column]);
    const bool number = is_number(block_.fields[place].in(block_.text.data()));
    std::string reason = field.name + ": expected " + type_name(field.type) +
                         (number ? ", found a number that it can't hold" : ", found other text");
    if (plan_.guessed[column]) reason += "; the type was guessed, types: can declare another";
    refuse(block_.rows[row], "type", std::move(reason), field.name);
  }

  void refuse(const CsvBlock::Record& record, std::string code, std::string reason,
              std::string column) {
    refused_.push_back({record, std::move(code), std::move(reason), std::move(column)});
  }

  template <class Drop>
  void drop_rows(Drop drop) {
    size_t kept = 0;
    for (size_t row = 0; row < block_.rows.size(); ++row) {
      if (drop(row)) continue;
      std::copy_n(block_.fields.begin() + static_cast<std::ptrdiff_t>(row * block_.columns),
                  block_.columns,
                  block_.fields.begin() + static_cast<std::ptrdiff_t>(kept * block_.columns));
      block_.rows[kept++] = block_.rows[row];
    }
    block_.rows.resize(kept);
    block_.fields.resize(kept * block_.columns, CsvField(0, 0, 0));
  }

  // The refused rows in the order of the file, with their lines.
  std::vector<RefusedRow> placed() {
    std::vector<RefusedRow> out;
    std::sort(refused_.begin(), refused_.end(),
              [](const auto& a, const auto& b) { return a.record.begin < b.record.begin; });
    size_t before = 0;
    uint32_t counted = 0;
    int64_t line = block_.first_line;
    for (auto& one : refused_) {
      while (before < block_.rows.size() && block_.rows[before].begin < one.record.begin) ++before;
      line += block_.lines_between(std::exchange(counted, one.record.begin), one.record.begin);
      std::string position = "{\"file\":";
      append_json_string(position, plan_.file);
      position += ",\"line\":" + std::to_string(line);
      if (!one.column.empty()) {
        position += ",\"column\":";
        append_json_string(position, one.column);
      }
      out.push_back(
          {static_cast<int64_t>(before),
           {plan_.schema->name, std::move(one.code), std::move(one.reason), position + "}"},
           refused_record(block_.record(one.record), plan_.header)});
    }
    return out;
  }

  CsvBlock block_;
  const CsvPlan& plan_;
  BatchBuilder batch_;
  std::vector<Refused> refused_;
};

}  // namespace

ConvertedRows convert_rows(CsvBlock block, const CsvPlan& plan) {
  return Conversion(std::move(block), plan).run();
}

}  // namespace patchbay
