#include "patchbay/text_value.h"

#include <array>
#include <charconv>
#include <cmath>

#include "patchbay/json_rows.h"
#include "patchbay/json_text.h"
#include "patchbay/time.h"

namespace patchbay {
namespace {

template <class T>
bool append_number(const Type&, ColumnBuilder& column, std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  static_cast<FixedBuilder<T>&>(column).append(value);
  return true;
}

bool append_bool(const Type&, ColumnBuilder& column, std::string_view text) {
  for (const std::string_view yes : {"true", "t", "1", "yes"}) {
    if (equals_folded(text, yes)) return static_cast<BoolBuilder&>(column).append(true), true;
  }
  for (const std::string_view no : {"false", "f", "0", "no"}) {
    if (equals_folded(text, no)) return static_cast<BoolBuilder&>(column).append(false), true;
  }
  return false;
}

bool append_utf8(const Type&, ColumnBuilder& column, std::string_view text) {
  if (!is_utf8(text)) return false;
  static_cast<Utf8Builder&>(column).append(text);
  return true;
}

bool append_binary(const Type&, ColumnBuilder& column, std::string_view text) {
  static_cast<BinaryBuilder&>(column).append(text);
  return true;
}

bool append_decimal(const Type& type, ColumnBuilder& column, std::string_view text) {
  const auto value = parse_decimal(text, type.precision, type.scale);
  if (value) static_cast<DecimalBuilder&>(column).append(*value);
  return value.has_value();
}

bool append_date(const Type&, ColumnBuilder& column, std::string_view text) {
  const auto value = parse_date(text);
  if (value) static_cast<Date32Builder&>(column).append(*value);
  return value.has_value();
}

bool append_time(const Type&, ColumnBuilder& column, std::string_view text) {
  const auto value = parse_time(text);
  if (value) static_cast<Time64Builder&>(column).append(*value);
  return value.has_value();
}

// Text with a zone cannot become local time, and the other way round only UTC is assumed.
bool append_timestamp(const Type& type, ColumnBuilder& column, std::string_view text) {
  const auto value = parse_timestamp(text);
  if (!value || (type.timezone.empty() && value->has_zone)) return false;
  static_cast<TimestampBuilder&>(column).append(value->micros);
  return true;
}

bool append_nothing(const Type&, ColumnBuilder&, std::string_view) { return false; }

template <class V, class Put>
class Scalar final : public TextColumn {
 public:
  Scalar(V view, Put put) : view_(view), put_(put) {}
  bool is_null(int64_t row) const override { return view_.is_null(row); }
  void append(std::string& out, int64_t row) const override {
    if (!view_.is_null(row)) put_(out, view_[row]);
  }
  void append_all(std::string& out, std::vector<size_t>& ends, int64_t rows) const override {
    for (int64_t row = 0; row < rows; ++row) {
      if (!view_.is_null(row)) put_(out, view_[row]);
      ends.push_back(out.size());
    }
  }

 private:
  V view_;
  Put put_;
};

template <class V, class Put>
std::unique_ptr<TextColumn> make(V view, Put put) {
  return std::make_unique<Scalar<V, Put>>(view, put);
}

// Booleans, small numbers, lists and structs read the same as JSON.
class AsJson final : public TextColumn {
 public:
  explicit AsJson(std::unique_ptr<JsonColumn> column) : column_(std::move(column)) {}
  bool is_null(int64_t row) const override { return column_->is_null(row); }
  void append(std::string& out, int64_t row) const override {
    if (column_->is_null(row)) return;
    value_.clear();
    column_->put(value_, row);
    out += value_.view();
  }

 private:
  std::unique_ptr<JsonColumn> column_;
  mutable TextBuffer value_;
};

}  // namespace

void TextColumn::append_all(std::string& out, std::vector<size_t>& ends, int64_t rows) const {
  for (int64_t row = 0; row < rows; ++row) {
    append(out, row);
    ends.push_back(out.size());
  }
}

bool equals_folded(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

TextAppender::TextAppender(const Type& type, ColumnBuilder& column)
    : type_(&type), column_(&column) {
  switch (type.id) {
    case TypeId::kBool:
      append_ = append_bool;
      break;
    case TypeId::kInt8:
      append_ = append_number<int8_t>;
      break;
    case TypeId::kInt16:
      append_ = append_number<int16_t>;
      break;
    case TypeId::kInt32:
      append_ = append_number<int32_t>;
      break;
    case TypeId::kInt64:
      append_ = append_number<int64_t>;
      break;
    case TypeId::kUint8:
      append_ = append_number<uint8_t>;
      break;
    case TypeId::kUint16:
      append_ = append_number<uint16_t>;
      break;
    case TypeId::kUint32:
      append_ = append_number<uint32_t>;
      break;
    case TypeId::kUint64:
      append_ = append_number<uint64_t>;
      break;
    case TypeId::kFloat32:
      append_ = append_number<float>;
      break;
    case TypeId::kFloat64:
      append_ = append_number<double>;
      break;
    case TypeId::kDecimal128:
      append_ = append_decimal;
      break;
    case TypeId::kUtf8:
      append_ = append_utf8;
      break;
    case TypeId::kBinary:
      append_ = append_binary;
      break;
    case TypeId::kDate32:
      append_ = append_date;
      break;
    case TypeId::kTime64:
      append_ = append_time;
      break;
    case TypeId::kTimestamp:
      append_ = append_timestamp;
      break;
    default:
      append_ = append_nothing;
  }
}

namespace {

// The shortest text that reads back as the same value.
template <class T>
void append_float(std::string& out, T value) {
  if (!std::isfinite(value)) {
    out += std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
    return;
  }
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

}  // namespace

std::unique_ptr<TextColumn> text_column(const Type& type, const ArrowArray& array, int64_t offset,
                                        int64_t length) {
  switch (type.id) {
    case TypeId::kUtf8:
      return make(Utf8View(type, array, offset, length),
                  [](std::string& out, std::string_view v) { out += v; });
    case TypeId::kBinary:
      return make(BinaryView(type, array, offset, length),
                  [](std::string& out, std::string_view v) { out += base64(v); });
    case TypeId::kInt32:
      return make(Int32View(type, array, offset, length), append_json_int);
    case TypeId::kInt64:
      return make(Int64View(type, array, offset, length), append_json_int);
    case TypeId::kFloat32:
      return make(Float32View(type, array, offset, length), append_float<float>);
    case TypeId::kFloat64:
      return make(Float64View(type, array, offset, length), append_float<double>);
    case TypeId::kDecimal128:
      return make(
          DecimalView(type, array, offset, length),
          [scale = type.scale](std::string& out, Int128 v) { out += format_decimal(v, scale); });
    case TypeId::kDate32:
      return make(Date32View(type, array, offset, length),
                  [](std::string& out, int32_t v) { patchbay::append_date(out, v); });
    case TypeId::kTime64:
      return make(Time64View(type, array, offset, length),
                  [](std::string& out, int64_t v) { out += format_time(v); });
    case TypeId::kTimestamp:
      return make(TimestampView(type, array, offset, length),
                  [utc = !type.timezone.empty()](std::string& out, int64_t v) {
                    patchbay::append_timestamp(out, v, utc);
                  });
    default:
      return std::make_unique<AsJson>(json_column(type, array, offset, length, {}));
  }
}

}  // namespace patchbay
