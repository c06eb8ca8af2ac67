#include "copy_text.h"

#include <string>

#include "exact.h"
#include "patchbay/text_value.h"
#include "patchbay/view.h"

namespace patchbay {
namespace {

// bytea's text: \x and hex digits.
class HexText final : public TextColumn {
 public:
  explicit HexText(const ColumnOfBatch& column)
      : bytes_(column.type, column.array, column.offset, column.length) {}
  bool is_null(int64_t row) const override { return bytes_.is_null(row); }
  void append(std::string& out, int64_t row) const override {
    out += "\\x";
    for (const char c : bytes_[row]) {
      out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
      out += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
    }
  }

 private:
  BinaryView bytes_;
};

// Dates and timestamps. What ISO 8601 gives a sign, PostgreSQL counts from 1 BC, or needs none for.
class EraText final : public TextColumn {
 public:
  explicit EraText(const ColumnOfBatch& column)
      : iso_(text_column(column.type, column.array, column.offset, column.length)) {}
  bool is_null(int64_t row) const override { return iso_->is_null(row); }
  void append(std::string& out, int64_t row) const override {
    const size_t begin = out.size();
    iso_->append(out, row);
    if (out[begin] == '+') {
      out.erase(begin, 1);
    } else if (out[begin] == '-' || out.compare(begin, 5, "0000-") == 0) {
      const size_t year = begin + (out[begin] == '-'), end = out.find('-', year);
      std::string before = std::to_string(std::stoi(out.substr(year, end - year)) + 1);
      if (before.size() < 4) before.insert(0, 4 - before.size(), '0');
      out.replace(begin, end - begin, before);
      out += " BC";
    }
  }

 private:
  std::unique_ptr<TextColumn> iso_;
};

std::unique_ptr<TextColumn> text_form(const ColumnOfBatch& column, const PgType& to);

// An array's text: {"a","b",NULL}, each item in quotes.
class ArrayText final : public TextColumn {
 public:
  explicit ArrayText(const ColumnOfBatch& column)
      : lists_(column.type, column.array, column.offset, column.length),
        items_(text_form({column.type.fields[0].type, *column.array.children[0], 0,
                          column.array.children[0]->length},
                         {})) {}
  bool is_null(int64_t row) const override { return lists_.is_null(row); }
  void append(std::string& out, int64_t row) const override {
    const auto [begin, end] = lists_[row];
    out += '{';
    for (int64_t i = begin; i < end; ++i) {
      if (i > begin) out += ',';
      append_item(out, i);
    }
    out += '}';
  }

 private:
  void append_item(std::string& out, int64_t i) const {
    if (items_->is_null(i)) {
      out += "NULL";
      return;
    }
    std::string value;
    items_->append(value, i);
    out += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }

  ListView lists_;
  std::unique_ptr<TextColumn> items_;
};

std::unique_ptr<TextColumn> text_form(const ColumnOfBatch& column, const PgType& to) {
  const bool json = to.kind == PgKind::kJson || to.kind == PgKind::kJsonb;
  if (column.type.id == TypeId::kBinary) return std::make_unique<HexText>(column);
  if (column.type.id == TypeId::kDate32 || column.type.id == TypeId::kTimestamp)
    return std::make_unique<EraText>(column);
  if (column.type.id == TypeId::kList && !json) return std::make_unique<ArrayText>(column);
  return text_column(column.type, column.array, column.offset, column.length);
}

char escape_of(char c) {
  switch (c) {
    case '\t':
      return 't';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    default:
      return c == '\\' ? '\\' : '\0';
  }
}

class TextField final : public FieldEncoder {
 public:
  TextField(const ColumnOfBatch& column, const PgType& to)
      : to_(to), column_(text_form(column, to)) {}
  const char* append(WireBuffer& out, int64_t row) const override {
    if (column_->is_null(row)) return out.append("\\N"), nullptr;
    value_.clear();
    column_->append(value_, row);
    if (value_.find('\0') != std::string::npos) return kNul;
    if (const char* why = why_changed(to_, value_)) return why;
    char* to = out.extend(2 * value_.size());
    const char* const begin = to;
    for (const char c : value_) {
      const char escaped = escape_of(c);
      if (escaped != '\0') *to++ = '\\';
      *to++ = escaped != '\0' ? escaped : c;
    }
    out.truncate(out.size() - 2 * value_.size() + static_cast<size_t>(to - begin));
    return nullptr;
  }

 private:
  const PgType to_;
  std::unique_ptr<TextColumn> column_;
  mutable std::string value_;  // of the row at hand; kept for its memory
};

}  // namespace

std::unique_ptr<FieldEncoder> make_text_field(const ColumnOfBatch& column, const PgType& to) {
  return std::make_unique<TextField>(column, to);
}

}  // namespace patchbay
