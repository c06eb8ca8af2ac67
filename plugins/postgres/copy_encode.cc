#include "copy_encode.h"

#include <limits>

#include "patchbay/json_text.h"
#include "patchbay/text_value.h"
#include "patchbay/view.h"
#include "pg_numeric.h"
#include "wire.h"

namespace patchbay {
namespace {

constexpr std::string_view kBinaryHeader{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
constexpr std::string_view kBinaryTrailer{"\377\377", 2};
constexpr const char* kTooLarge = "is beyond the column's type";
constexpr const char* kNul = "holds a NUL character, which PostgreSQL can't store";

void put_null(std::string& out) { put_wire(out, int32_t{-1}); }

template <class T>
void put_field(std::string& out, T value) {
  put_wire(out, int32_t{sizeof value});
  put_wire(out, value);
}

void put_bytes(std::string& out, std::string_view bytes) {
  put_wire(out, static_cast<int32_t>(bytes.size()));
  out += bytes;
}

// V is a view; Put appends one value and returns why not.
template <class V, class Put>
class Encoder final : public FieldEncoder {
 public:
  Encoder(V view, Put put) : view_(view), put_(put) {}
  const char* append(std::string& out, int64_t row) const override {
    if (view_.is_null(row)) return put_null(out), nullptr;
    return put_(out, view_[row]);
  }

 private:
  V view_;
  Put put_;
};

template <class V, class Put>
std::unique_ptr<FieldEncoder> make(const Type& type, const ArrowArray& array, int64_t offset,
                                   int64_t length, Put put) {
  return std::make_unique<Encoder<V, Put>>(V(type, array, offset, length), put);
}

template <class V, class To>
std::unique_ptr<FieldEncoder> make_integer(const Type& type, const PgType&, const ArrowArray& array,
                                           int64_t offset, int64_t length) {
  return make<V>(type, array, offset, length, [](std::string& out, auto value) -> const char* {
    if (!std::in_range<To>(value)) return kTooLarge;
    return put_field(out, static_cast<To>(value)), nullptr;
  });
}

template <class V>
std::unique_ptr<FieldEncoder> make_integer_numeric(const Type& type, const PgType& to,
                                                   const ArrowArray& array, int64_t offset,
                                                   int64_t length) {
  return make<V>(type, array, offset, length, [to](std::string& out, auto value) {
    return append_numeric(out, Int128{value}, 0, to.precision, to.scale);
  });
}

template <class V>
MakeEncoder integer_encoder(PgKind to) {
  switch (to) {
    case PgKind::kInt2:
      return make_integer<V, int16_t>;
    case PgKind::kInt4:
      return make_integer<V, int32_t>;
    case PgKind::kInt8:
      return make_integer<V, int64_t>;
    case PgKind::kNumeric:
      return make_integer_numeric<V>;
    default:
      return nullptr;
  }
}

template <class V>
MakeEncoder float_encoder(PgKind to) {
  if (to == PgKind::kFloat8) {
    return [](const Type& type, const PgType&, const ArrowArray& array, int64_t offset,
              int64_t length) {
      return make<V>(type, array, offset, length, [](std::string& out, auto value) -> const char* {
        return put_field(out, std::bit_cast<int64_t>(double{value})), nullptr;
      });
    };
  }
  // A double in a real column would lose digits in silence: the server, given text, rounds as well.
  if (to == PgKind::kFloat4 && std::is_same_v<V, Float32View>) {
    return [](const Type& type, const PgType&, const ArrowArray& array, int64_t offset,
              int64_t length) {
      return make<Float32View>(type, array, offset, length,
                               [](std::string& out, float value) -> const char* {
                                 return put_field(out, std::bit_cast<int32_t>(value)), nullptr;
                               });
    };
  }
  return nullptr;
}

std::unique_ptr<FieldEncoder> make_bool(const Type& type, const PgType&, const ArrowArray& array,
                                        int64_t offset, int64_t length) {
  return make<BoolView>(type, array, offset, length, [](std::string& out, bool v) -> const char* {
    return put_field(out, static_cast<char>(v)), nullptr;
  });
}

std::unique_ptr<FieldEncoder> make_decimal(const Type& type, const PgType& to,
                                           const ArrowArray& array, int64_t offset,
                                           int64_t length) {
  const int32_t scale = type.scale;
  return make<DecimalView>(type, array, offset, length, [scale, to](std::string& out, Int128 v) {
    return append_numeric(out, v, scale, to.precision, to.scale);
  });
}

std::unique_ptr<FieldEncoder> make_date(const Type& type, const PgType&, const ArrowArray& array,
                                        int64_t offset, int64_t length) {
  return make<Date32View>(type, array, offset, length,
                          [](std::string& out, int32_t days) -> const char* {
                            if (days < std::numeric_limits<int32_t>::min() + kEpochDays + 1)
                              return kTooLarge;
                            return put_field(out, days - kEpochDays), nullptr;
                          });
}

std::unique_ptr<FieldEncoder> make_time(const Type& type, const PgType&, const ArrowArray& array,
                                        int64_t offset, int64_t length) {
  return make<Time64View>(type, array, offset, length,
                          [](std::string& out, int64_t micros) -> const char* {
                            if (micros < 0 || micros > 86'400'000'000) return kTooLarge;
                            return put_field(out, micros), nullptr;
                          });
}

std::unique_ptr<FieldEncoder> make_timestamp(const Type& type, const PgType&,
                                             const ArrowArray& array, int64_t offset,
                                             int64_t length) {
  return make<TimestampView>(type, array, offset, length,
                             [](std::string& out, int64_t micros) -> const char* {
                               if (micros < std::numeric_limits<int64_t>::min() + kEpochMicros + 1)
                                 return kTooLarge;
                               return put_field(out, micros - kEpochMicros), nullptr;
                             });
}

std::unique_ptr<FieldEncoder> make_text(const Type& type, const PgType&, const ArrowArray& array,
                                        int64_t offset, int64_t length) {
  return make<Utf8View>(type, array, offset, length,
                        [](std::string& out, std::string_view text) -> const char* {
                          if (text.find('\0') != std::string_view::npos) return kNul;
                          return put_bytes(out, text), nullptr;
                        });
}

std::unique_ptr<FieldEncoder> make_binary(const Type& type, const PgType&, const ArrowArray& array,
                                          int64_t offset, int64_t length) {
  return make<BinaryView>(type, array, offset, length,
                          [](std::string& out, std::string_view bytes) -> const char* {
                            return put_bytes(out, bytes), nullptr;
                          });
}

std::unique_ptr<FieldEncoder> make_jsonb(const Type& type, const PgType&, const ArrowArray& array,
                                         int64_t offset, int64_t length) {
  return make<Utf8View>(type, array, offset, length,
                        [](std::string& out, std::string_view text) -> const char* {
                          if (text.find('\0') != std::string_view::npos) return kNul;
                          put_wire(out, static_cast<int32_t>(text.size() + 1));
                          out += '\1';
                          out += text;
                          return nullptr;
                        });
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::unique_ptr<FieldEncoder> make_uuid(const Type& type, const PgType&, const ArrowArray& array,
                                        int64_t offset, int64_t length) {
  return make<Utf8View>(type, array, offset, length,
                        [](std::string& out, std::string_view text) -> const char* {
                          char bytes[16] = {};
                          size_t digits = 0;
                          for (const char c : text) {
                            if (c == '-') continue;
                            const int digit = hex_digit(c);
                            if (digit < 0 || digits == 32) return "is no UUID";
                            bytes[digits / 2] = static_cast<char>(bytes[digits / 2] << 4 | digit);
                            ++digits;
                          }
                          if (digits != 32) return "is no UUID";
                          return put_bytes(out, {bytes, sizeof bytes}), nullptr;
                        });
}

// Structs and lists in a json or jsonb column.
class NestedEncoder final : public FieldEncoder {
 public:
  NestedEncoder(const Type& type, const ArrowArray& array, int64_t offset, int64_t length,
                bool jsonb)
      : column_(text_column(type, array, offset, length)), jsonb_(jsonb) {}
  const char* append(std::string& out, int64_t row) const override {
    if (column_->is_null(row)) return put_null(out), nullptr;
    const size_t at = out.size();
    put_wire(out, int32_t{0});
    if (jsonb_) out += '\1';
    column_->append(out, row);
    const auto size = swap_bytes(static_cast<int32_t>(out.size() - at - 4));
    std::memcpy(out.data() + at, &size, sizeof size);
    return nullptr;
  }

 private:
  std::unique_ptr<TextColumn> column_;
  const bool jsonb_;
};

std::unique_ptr<FieldEncoder> make_nested(const Type& type, const PgType& to,
                                          const ArrowArray& array, int64_t offset, int64_t length) {
  return std::make_unique<NestedEncoder>(type, array, offset, length, to.kind == PgKind::kJsonb);
}

PgType item_type(const PgType& array) {
  return {array.item, array.item_oid, array.precision, array.scale, PgKind::kOther, 0};
}

// https://github.com/postgres/postgres, array_recv: dimensions, null flag, item type, then items.
class ArrayEncoder final : public FieldEncoder {
 public:
  ArrayEncoder(const Type& type, const PgType& to, const ArrowArray& array, int64_t offset,
               int64_t length)
      : lists_(type, array, offset, length),
        item_oid_(to.item_oid),
        items_(find_encoder(type.fields[0].type, item_type(to))(
            type.fields[0].type, item_type(to), *array.children[0], 0, array.children[0]->length)) {
  }
  const char* append(std::string& out, int64_t row) const override {
    if (lists_.is_null(row)) return put_null(out), nullptr;
    const auto [begin, end] = lists_[row];
    const size_t at = out.size();
    put_wire(out, int32_t{0});
    put_wire(out, static_cast<int32_t>(begin == end ? 0 : 1));
    put_wire(out, int32_t{1});
    put_wire(out, item_oid_);
    if (begin != end) {
      put_wire(out, static_cast<int32_t>(end - begin));
      put_wire(out, int32_t{1});
    }
    for (int64_t i = begin; i < end; ++i) {
      if (const char* why = items_->append(out, i)) return why;
    }
    const auto size = swap_bytes(static_cast<int32_t>(out.size() - at - 4));
    std::memcpy(out.data() + at, &size, sizeof size);
    return nullptr;
  }

 private:
  ListView lists_;
  uint32_t item_oid_;
  std::unique_ptr<FieldEncoder> items_;
};

std::unique_ptr<FieldEncoder> make_array(const Type& type, const PgType& to,
                                         const ArrowArray& array, int64_t offset, int64_t length) {
  return std::make_unique<ArrayEncoder>(type, to, array, offset, length);
}

bool is_json(PgKind kind) { return kind == PgKind::kJson || kind == PgKind::kJsonb; }

MakeEncoder text_encoder(PgKind to) {
  switch (to) {
    case PgKind::kText:
    case PgKind::kJson:
      return make_text;
    case PgKind::kJsonb:
      return make_jsonb;
    case PgKind::kUuid:
      return make_uuid;
    default:
      return nullptr;
  }
}

// bytea's text: \x and hex digits.
class HexText final : public TextColumn {
 public:
  HexText(const Type& type, const ArrowArray& array, int64_t offset, int64_t length)
      : bytes_(type, array, offset, length) {}
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

// An array's text: {"a","b",NULL}, each item in quotes.
class ArrayText final : public TextColumn {
 public:
  ArrayText(const Type& type, const ArrowArray& array, int64_t offset, int64_t length)
      : lists_(type, array, offset, length),
        items_(text_column(type.fields[0].type, *array.children[0], 0, array.children[0]->length)) {
  }
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

std::unique_ptr<TextColumn> text_form(const Type& type, const PgType& to, const ArrowArray& array,
                                      int64_t offset, int64_t length) {
  if (type.id == TypeId::kBinary) return std::make_unique<HexText>(type, array, offset, length);
  if (type.id == TypeId::kList && !is_json(to.kind))
    return std::make_unique<ArrayText>(type, array, offset, length);
  return text_column(type, array, offset, length);
}

// Text that COPY's text format gives a meaning is escaped.
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        out += c;
    }
  }
}

}  // namespace

MakeEncoder find_encoder(const Type& from, const PgType& to) {
  const auto when = [&](bool fits, MakeEncoder make) { return fits ? make : nullptr; };
  switch (from.id) {
    case TypeId::kBool:
      return when(to.kind == PgKind::kBool, make_bool);
    case TypeId::kInt8:
      return integer_encoder<Int8View>(to.kind);
    case TypeId::kInt16:
      return integer_encoder<Int16View>(to.kind);
    case TypeId::kInt32:
      return integer_encoder<Int32View>(to.kind);
    case TypeId::kInt64:
      return integer_encoder<Int64View>(to.kind);
    case TypeId::kUint8:
      return integer_encoder<Uint8View>(to.kind);
    case TypeId::kUint16:
      return integer_encoder<Uint16View>(to.kind);
    case TypeId::kUint32:
      return integer_encoder<Uint32View>(to.kind);
    case TypeId::kUint64:
      return integer_encoder<Uint64View>(to.kind);
    case TypeId::kFloat32:
      return float_encoder<Float32View>(to.kind);
    case TypeId::kFloat64:
      return float_encoder<Float64View>(to.kind);
    case TypeId::kDecimal128:
      return when(to.kind == PgKind::kNumeric, make_decimal);
    case TypeId::kUtf8:
      return text_encoder(to.kind);
    case TypeId::kBinary:
      return when(to.kind == PgKind::kBytea, make_binary);
    case TypeId::kDate32:
      return when(to.kind == PgKind::kDate, make_date);
    case TypeId::kTime64:
      return when(to.kind == PgKind::kTime, make_time);
    case TypeId::kTimestamp:
      return when(to.kind == (from.timezone.empty() ? PgKind::kTimestamp : PgKind::kTimestamptz),
                  make_timestamp);
    case TypeId::kStruct:
      return when(is_json(to.kind), make_nested);
    case TypeId::kList:
      if (is_json(to.kind)) return make_nested;
      return when(to.kind == PgKind::kArray && from.fields[0].type.id != TypeId::kList &&
                      find_encoder(from.fields[0].type, item_type(to)) != nullptr,
                  make_array);
  }
  return nullptr;
}

CopyEncoder::CopyEncoder(SchemaPtr stream, std::vector<Pair> pairs)
    : stream_(std::move(stream)), pairs_(std::move(pairs)) {
  for (const auto& [field, column] : pairs_) {
    encoders_.push_back(find_encoder(stream_->fields[field].type, column.type));
    binary_ = binary_ && encoders_.back() != nullptr;
  }
}

std::string_view CopyEncoder::header() const { return binary_ ? kBinaryHeader : ""; }
std::string_view CopyEncoder::trailer() const { return binary_ ? kBinaryTrailer : ""; }

CopyRows CopyEncoder::encode(const Batch& batch, std::vector<RefusedRow>& refused) const {
  CopyRows out;
  out.data.reserve(static_cast<size_t>(batch.bytes()) +
                   static_cast<size_t>(batch.rows()) * (4 * pairs_.size() + 2));
  if (binary_) {
    encode_binary(batch, out, refused);
  } else {
    encode_text(batch, out);
  }
  return out;
}

void CopyEncoder::encode_binary(const Batch& batch, CopyRows& out,
                                std::vector<RefusedRow>& refused) const {
  std::vector<std::unique_ptr<FieldEncoder>> columns;
  for (size_t i = 0; i < pairs_.size(); ++i) {
    const auto& [field, column] = pairs_[i];
    columns.push_back(encoders_[i](stream_->fields[field].type, column.type,
                                   *batch.array().children[field], batch.array().offset,
                                   batch.rows()));
  }
  for (int64_t row = 0; row < batch.rows(); ++row) {
    const size_t begin = out.data.size();
    put_wire(out.data, static_cast<int16_t>(columns.size()));
    const char* why = nullptr;
    for (size_t i = 0; i < columns.size() && !why; ++i) {
      why = columns[i]->append(out.data, row);
      if (why) refused.push_back({row, pairs_[i].column.name + ": " + why});
    }
    if (why) {
      out.data.resize(begin);
      continue;
    }
    out.ends.push_back(out.data.size());
    out.rows.push_back(row);
  }
}

void CopyEncoder::encode_text(const Batch& batch, CopyRows& out) const {
  std::vector<std::unique_ptr<TextColumn>> columns;
  for (const auto& [field, column] : pairs_) {
    columns.push_back(text_form(stream_->fields[field].type, column.type,
                                *batch.array().children[field], batch.array().offset,
                                batch.rows()));
  }
  std::string value;
  for (int64_t row = 0; row < batch.rows(); ++row) {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) out.data += '\t';
      if (columns[i]->is_null(row)) {
        out.data += "\\N";
        continue;
      }
      value.clear();
      columns[i]->append(value, row);
      append_escaped(out.data, value);
    }
    out.data += '\n';
    out.ends.push_back(out.data.size());
    out.rows.push_back(row);
  }
}

}  // namespace patchbay
