#include "patchbay/json_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "patchbay/text_value.h"
#include "patchbay/time.h"

namespace patchbay {
namespace {

// The length of the UTF-8 sequence at the front, 0 where it is none (RFC 3629: no overlong forms,
// no surrogates).
size_t utf8_length(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return i < text.size() && at(i) >= low && at(i) <= high;
  };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80, high = first == 0xed ? 0x9f : 0xbf;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80, high = first == 0xf4 ? 0x8f : 0xbf;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

void append_escaped(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr char kHex[] = "0123456789abcdef";
  out += "\\u00";
  out += kHex[c >> 4];
  out += kHex[c & 15];
}

bool is_plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x80 &&
         c != '"' && c != '\\';
}

// Are eight bytes plain? The highest bit of each tells, as in "Bit Twiddling Hacks", hasless: a
// borrow from the byte below may only make one not plain that is.
bool are_plain(const char* bytes) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  const uint64_t quote = word ^ (kOnes * '"'), backslash = word ^ (kOnes * '\\');
  const uint64_t odd = word | (word - kOnes * 0x20) | (quote - kOnes) | (backslash - kOnes);
  return (odd & kHigh) == 0;
}

size_t plain_length(std::string_view text) {
  size_t n = 0;
  while (n + 8 <= text.size() && are_plain(text.data() + n)) n += 8;
  while (n < text.size() && is_plain(text[n])) ++n;
  return n;
}

template <class T>
void append_number(std::string& out, T value) {
  std::array<char, 40> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  out.append(text.data(), end);
}

template <class T>
void append_float(std::string& out, T value) {
  if (std::isfinite(value)) return append_number(out, value);
  out += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
}

template <class V, class Put>
class Scalar final : public JsonColumn {
 public:
  Scalar(V view, Put put) : view_(view), put_(put) {}
  bool is_null(int64_t row) const override { return view_.is_null(row); }
  void append(std::string& out, int64_t row) const override {
    if (view_.is_null(row)) {
      out += "null";
    } else {
      put_(out, view_[row]);
    }
  }

 private:
  V view_;
  Put put_;
};

template <class V, class Put>
std::unique_ptr<JsonColumn> make_scalar(V view, Put put) {
  return std::make_unique<Scalar<V, Put>>(view, put);
}

class List final : public JsonColumn {
 public:
  List(const Type& type, const ArrowArray& array, int64_t offset, int64_t length,
       const JsonStyle& style)
      : view_(type, array, offset, length),
        item_(json_column(type.fields[0].type, *array.children[0], 0, array.children[0]->length,
                          style)) {}
  bool is_null(int64_t row) const override { return view_.is_null(row); }
  void append(std::string& out, int64_t row) const override {
    if (view_.is_null(row)) {
      out += "null";
      return;
    }
    out += '[';
    const auto range = view_[row];
    for (int64_t i = range.begin; i < range.end; ++i) {
      if (i > range.begin) out += ',';
      item_->append(out, i);
    }
    out += ']';
  }

 private:
  ListView view_;
  std::unique_ptr<JsonColumn> item_;
};

class Struct final : public JsonColumn {
 public:
  Struct(const Type& type, const ArrowArray& array, int64_t offset, int64_t length,
         const JsonStyle& style)
      : view_(type, array, offset, length),
        members_(type.fields, array, array.offset + offset, length, style) {}
  bool is_null(int64_t row) const override { return view_.is_null(row); }
  void append(std::string& out, int64_t row) const override {
    if (view_.is_null(row)) {
      out += "null";
    } else {
      members_.append(out, row);
    }
  }

 private:
  StructView view_;
  JsonRows members_;
};

// A line break within a JSON value is only layout, and would end a record of one line early.
void append_on_one_line(std::string& out, std::string_view json) {
  const size_t begin = out.size();
  out += json;
  for (size_t at = out.find_first_of("\n\r", begin); at != std::string::npos;
       at = out.find_first_of("\n\r", at)) {
    out[at] = ' ';
  }
}

void put_quoted(std::string& out, const std::string& text) {
  out += '"';
  out += text;
  out += '"';
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const size_t plain = plain_length(text);
    out.append(text.data(), plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto c = static_cast<unsigned char>(text[0]);
    if (c < 0x80) {
      append_escaped(out, c);
      text.remove_prefix(1);
      continue;
    }
    const size_t n = utf8_length(text);
    out.append(n > 0 ? text.substr(0, n) : std::string_view("\xef\xbf\xbd"));
    text.remove_prefix(std::max<size_t>(n, 1));
  }
  out += '"';
}

void append_json_int(std::string& out, int64_t value) { append_number(out, value); }
void append_json_double(std::string& out, double value) { append_float(out, value); }
void append_json_double(std::string& out, float value) { append_float(out, value); }

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t n = utf8_length(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

std::string base64(std::string_view bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < n ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (size_t j = 0; j < 4; ++j) out += j <= n ? kAlphabet[group >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

std::unique_ptr<JsonColumn> json_column(const Type& type, const ArrowArray& array, int64_t offset,
                                        int64_t length, const JsonStyle& style) {
  const auto integer = [](std::string& out, auto value) { append_number(out, value); };
  const auto floating = [](std::string& out, auto value) { append_float(out, value); };
  switch (type.id) {
    case TypeId::kBool:
      return make_scalar(BoolView(type, array, offset, length),
                         [](std::string& out, bool value) { out += value ? "true" : "false"; });
    case TypeId::kInt8:
      return make_scalar(Int8View(type, array, offset, length), integer);
    case TypeId::kInt16:
      return make_scalar(Int16View(type, array, offset, length), integer);
    case TypeId::kInt32:
      return make_scalar(Int32View(type, array, offset, length), integer);
    case TypeId::kInt64:
      return make_scalar(Int64View(type, array, offset, length), integer);
    case TypeId::kUint8:
      return make_scalar(Uint8View(type, array, offset, length), integer);
    case TypeId::kUint16:
      return make_scalar(Uint16View(type, array, offset, length), integer);
    case TypeId::kUint32:
      return make_scalar(Uint32View(type, array, offset, length), integer);
    case TypeId::kUint64:
      return make_scalar(Uint64View(type, array, offset, length), integer);
    case TypeId::kFloat32:
      return make_scalar(Float32View(type, array, offset, length), floating);
    case TypeId::kFloat64:
      return make_scalar(Float64View(type, array, offset, length), floating);
    case TypeId::kDecimal128:
      if (style.small_decimals_as_numbers && type.precision <= 15) {
        return make_scalar(
            DecimalView(type, array, offset, length),
            [scale = type.scale](std::string& out, Int128 v) { out += format_decimal(v, scale); });
      }
      return make_scalar(DecimalView(type, array, offset, length),
                         [scale = type.scale](std::string& out, Int128 v) {
                           put_quoted(out, format_decimal(v, scale));
                         });
    case TypeId::kDate32:
      return make_scalar(Date32View(type, array, offset, length),
                         [](std::string& out, int32_t days) {
                           out += '"';
                           append_date(out, days);
                           out += '"';
                         });
    case TypeId::kTime64:
      return make_scalar(Time64View(type, array, offset, length),
                         [](std::string& out, int64_t v) { put_quoted(out, format_time(v)); });
    case TypeId::kTimestamp:
      return make_scalar(TimestampView(type, array, offset, length),
                         [utc = !type.timezone.empty()](std::string& out, int64_t micros) {
                           out += '"';
                           append_timestamp(out, micros, utc);
                           out += '"';
                         });
    case TypeId::kBinary:
      return make_scalar(BinaryView(type, array, offset, length),
                         [](std::string& out, std::string_view v) { put_quoted(out, base64(v)); });
    case TypeId::kUtf8:
      if (type.json && !style.json_as_text) {
        return make_scalar(Utf8View(type, array, offset, length), append_on_one_line);
      }
      return make_scalar(Utf8View(type, array, offset, length), append_json_string);
    case TypeId::kList:
      return std::make_unique<List>(type, array, offset, length, style);
    case TypeId::kStruct:
      return std::make_unique<Struct>(type, array, offset, length, style);
  }
  throw Error(Code::kInternal, "no JSON for this type");
}

JsonRows::JsonRows(const Schema& schema, const ArrowArray& array, JsonStyle style)
    : JsonRows(schema.fields, array, array.offset, array.length, style) {}

JsonRows::JsonRows(const std::vector<Field>& fields, const ArrowArray& array, int64_t offset,
                   int64_t length, JsonStyle style)
    : style_(style) {
  for (size_t i = 0; i < fields.size(); ++i) {
    std::string quoted;
    append_json_string(quoted, fields[i].name);
    names_.push_back(quoted + ":");
    columns_.push_back(json_column(fields[i].type, *array.children[i], offset, length, style));
  }
}

void JsonRows::append(std::string& out, int64_t row) const {
  out += '{';
  bool first = true;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (style_.skip_nulls && columns_[i]->is_null(row)) continue;
    if (!first) out += ',';
    first = false;
    out += names_[i];
    columns_[i]->append(out, row);
  }
  out += '}';
}

std::string row_to_json(const Schema& schema, const ArrowArray& array, int64_t row) {
  std::string out;
  JsonRows(schema, array).append(out, row);
  return out;
}

}  // namespace patchbay
