#include "patchbay/json_rows.h"

#include <algorithm>
#include <cmath>

#include "patchbay/json_text.h"
#include "patchbay/time.h"

namespace patchbay {
namespace {

// How columns of all kinds write null and members; `Column` has put_value, for what is not null.
template <class Column>
class Written : public JsonColumn {
 public:
  void put(TextBuffer& out, int64_t row) const final {
    if (is_null(row)) {
      out.put("null");
    } else {
      column().put_value(out, row);
    }
  }
  void put_member(TextBuffer& out, std::string_view name, int64_t row,
                  bool skip_nulls) const final {
    const bool null = column().is_null(row);
    if (null && skip_nulls) return;
    out.put(name);
    if (null) {
      out.put("null");
    } else {
      column().put_value(out, row);
    }
    out.put(',');
  }

 private:
  const Column& column() const { return static_cast<const Column&>(*this); }
};

template <class V, class Put>
class Scalar final : public Written<Scalar<V, Put>> {
 public:
  Scalar(V view, Put put) : view_(view), put_(put) {}
  bool is_null(int64_t row) const override { return view_.is_null(row); }
  void put_value(TextBuffer& out, int64_t row) const { put_(out, view_[row]); }

 private:
  V view_;
  Put put_;
};

template <class V, class Put>
std::unique_ptr<JsonColumn> make_scalar(V view, Put put) {
  return std::make_unique<Scalar<V, Put>>(view, put);
}

// Of a list or an object, whose last item or member has put a comma as well.
void close(TextBuffer& out, char bracket) {
  if (out.view().back() == ',') out.truncate(out.size() - 1);
  out.put(bracket);
}

class List final : public Written<List> {
 public:
  List(const Type& type, const ArrowArray& array, int64_t offset, int64_t length,
       const JsonStyle& style)
      : view_(type, array, offset, length),
        item_(json_column(type.fields[0].type, *array.children[0], 0, array.children[0]->length,
                          style)) {}
  bool is_null(int64_t row) const override { return view_.is_null(row); }
  void put_value(TextBuffer& out, int64_t row) const {
    out.put('[');
    const auto range = view_[row];
    for (int64_t i = range.begin; i < range.end; ++i) item_->put_member(out, "", i, false);
    close(out, ']');
  }

 private:
  ListView view_;
  std::unique_ptr<JsonColumn> item_;
};

class Struct final : public Written<Struct> {
 public:
  Struct(const Type& type, const ArrowArray& array, int64_t offset, int64_t length,
         const JsonStyle& style)
      : view_(type, array, offset, length),
        members_(type.fields, array, array.offset + offset, length, style) {}
  bool is_null(int64_t row) const override { return view_.is_null(row); }
  void put_value(TextBuffer& out, int64_t row) const { members_.put(out, row); }

 private:
  StructView view_;
  JsonRows members_;
};

// A line break within a JSON value is only layout, and would end a record of one line early.
void put_on_one_line(TextBuffer& out, std::string_view json) {
  char* const begin = out.room(json.size());
  std::replace_copy_if(
      json.begin(), json.end(), begin, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  out.keep(begin + json.size());
}

void put_quoted(TextBuffer& out, std::string_view text) {
  out.put('"');
  out.put(text);
  out.put('"');
}

// `write` is one of time.h's.
template <class Write>
void put_time_text(TextBuffer& out, Write write) {
  char* at = out.room(kLongestTimeText + 2);
  *at++ = '"';
  at = write(at);
  *at++ = '"';
  out.keep(at);
}

template <class T>
void put_float(TextBuffer& out, T value) {
  if (std::isfinite(value)) return out.put_number(value);
  out.put(std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
}

std::unique_ptr<JsonColumn> decimal_column(const Type& type, const ArrowArray& array,
                                           int64_t offset, int64_t length, const JsonStyle& style) {
  const DecimalView view(type, array, offset, length);
  if (style.small_decimals_as_numbers && type.precision <= 15) {
    return make_scalar(view, [scale = type.scale](TextBuffer& out, Int128 v) {
      out.put(format_decimal(v, scale));
    });
  }
  return make_scalar(view, [scale = type.scale](TextBuffer& out, Int128 v) {
    put_quoted(out, format_decimal(v, scale));
  });
}

}  // namespace

std::unique_ptr<JsonColumn> json_column(const Type& type, const ArrowArray& array, int64_t offset,
                                        int64_t length, const JsonStyle& style) {
  const auto integer = [](TextBuffer& out, auto value) { out.put_number(value); };
  const auto floating = [](TextBuffer& out, auto value) { put_float(out, value); };
  switch (type.id) {
    case TypeId::kBool:
      return make_scalar(BoolView(type, array, offset, length),
                         [](TextBuffer& out, bool value) { out.put(value ? "true" : "false"); });
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
      return decimal_column(type, array, offset, length, style);
    case TypeId::kDate32:
      return make_scalar(Date32View(type, array, offset, length),
                         [](TextBuffer& out, int32_t days) {
                           put_time_text(out, [&](char* at) { return write_date(at, days); });
                         });
    case TypeId::kTime64:
      return make_scalar(Time64View(type, array, offset, length), [](TextBuffer& out, int64_t v) {
        put_time_text(out, [&](char* at) { return write_time(at, v); });
      });
    case TypeId::kTimestamp:
      return make_scalar(TimestampView(type, array, offset, length),
                         [utc = !type.timezone.empty()](TextBuffer& out, int64_t micros) {
                           put_time_text(
                               out, [&](char* at) { return write_timestamp(at, micros, utc); });
                         });
    case TypeId::kBinary:
      return make_scalar(BinaryView(type, array, offset, length),
                         [](TextBuffer& out, std::string_view v) { put_quoted(out, base64(v)); });
    case TypeId::kUtf8:
      if (type.json && !style.json_as_text)
        return make_scalar(Utf8View(type, array, offset, length), put_on_one_line);
      return make_scalar(Utf8View(type, array, offset, length), put_json_string);
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
  row_.clear();
  put(row_, row);
  out += row_.view();
}

void JsonRows::put(TextBuffer& out, int64_t row) const {
  out.put('{');
  for (size_t i = 0; i < columns_.size(); ++i)
    columns_[i]->put_member(out, names_[i], row, style_.skip_nulls);
  close(out, '}');
}

std::string row_to_json(const Schema& schema, const ArrowArray& array, int64_t row) {
  std::string out;
  JsonRows(schema, array).append(out, row);
  return out;
}

}  // namespace patchbay
