#include "field_encoder.h"

#include <limits>
#include <utility>

#include "exact.h"
#include "patchbay/view.h"
#include "pg_numeric.h"

namespace patchbay {
namespace {

constexpr const char* kTooLarge = "is beyond the column's type";

// V is a view; Put appends one value and returns why not.
template <class V, class Put>
class Encoder final : public FieldEncoder {
 public:
  Encoder(const ColumnOfBatch& column, Put put)
      : view_(column.type, column.array, column.offset, column.length), put_(put) {}
  const char* append(WireBuffer& out, int64_t row) const override {
    if (view_.is_null(row)) return out.put_null(), nullptr;
    return put_(out, view_[row]);
  }

 private:
  V view_;
  Put put_;
};

template <class V, class Put>
std::unique_ptr<FieldEncoder> make(const ColumnOfBatch& column, Put put) {
  return std::make_unique<Encoder<V, Put>>(column, put);
}

template <class V, class To>
std::unique_ptr<FieldEncoder> make_integer(const ColumnOfBatch& column, const PgType&) {
  return make<V>(column, [](WireBuffer& out, auto value) -> const char* {
    if (!std::in_range<To>(value)) return kTooLarge;
    return out.put_field(static_cast<To>(value)), nullptr;
  });
}

template <class V>
std::unique_ptr<FieldEncoder> make_integer_numeric(const ColumnOfBatch& column, const PgType& to) {
  return make<V>(column, [to](WireBuffer& out, auto value) {
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
std::unique_ptr<FieldEncoder> make_float8(const ColumnOfBatch& column, const PgType&) {
  return make<V>(column, [](WireBuffer& out, auto value) -> const char* {
    return out.put_field(std::bit_cast<int64_t>(double{value})), nullptr;
  });
}

std::unique_ptr<FieldEncoder> make_float4(const ColumnOfBatch& column, const PgType&) {
  return make<Float32View>(column, [](WireBuffer& out, float value) -> const char* {
    return out.put_field(std::bit_cast<int32_t>(value)), nullptr;
  });
}

std::unique_ptr<FieldEncoder> make_bool(const ColumnOfBatch& column, const PgType&) {
  return make<BoolView>(column, [](WireBuffer& out, bool value) -> const char* {
    return out.put_field(static_cast<char>(value)), nullptr;
  });
}

std::unique_ptr<FieldEncoder> make_decimal(const ColumnOfBatch& column, const PgType& to) {
  const int32_t scale = column.type.scale;
  return make<DecimalView>(column, [scale, to](WireBuffer& out, Int128 value) {
    return append_numeric(out, value, scale, to.precision, to.scale);
  });
}

std::unique_ptr<FieldEncoder> make_date(const ColumnOfBatch& column, const PgType&) {
  return make<Date32View>(column, [](WireBuffer& out, int32_t days) -> const char* {
    if (days < std::numeric_limits<int32_t>::min() + kEpochDays + 1) return kTooLarge;
    return out.put_field(days - kEpochDays), nullptr;
  });
}

std::unique_ptr<FieldEncoder> make_time(const ColumnOfBatch& column, const PgType& to) {
  const int64_t unit = unit_of_fraction(to.fraction);
  return make<Time64View>(column, [unit](WireBuffer& out, int64_t micros) -> const char* {
    if (unit > 1 && micros % unit != 0) return kFractionOfSecond;
    if (micros < 0 || micros > 86'400'000'000) return kTooLarge;
    return out.put_field(micros), nullptr;
  });
}

std::unique_ptr<FieldEncoder> make_timestamp(const ColumnOfBatch& column, const PgType& to) {
  const int64_t unit = unit_of_fraction(to.fraction);
  return make<TimestampView>(column, [unit](WireBuffer& out, int64_t micros) -> const char* {
    if (unit > 1 && micros % unit != 0) return kFractionOfSecond;
    if (micros < std::numeric_limits<int64_t>::min() + kEpochMicros + 1) return kTooLarge;
    return out.put_field(micros - kEpochMicros), nullptr;
  });
}

bool has_nul(std::string_view text) {
  return !text.empty() && std::memchr(text.data(), '\0', text.size()) != nullptr;
}

std::unique_ptr<FieldEncoder> make_text(const ColumnOfBatch& column, const PgType&) {
  return make<Utf8View>(column, [](WireBuffer& out, std::string_view text) -> const char* {
    if (has_nul(text)) return kNul;
    return out.put_bytes(text), nullptr;
  });
}

std::unique_ptr<FieldEncoder> make_binary(const ColumnOfBatch& column, const PgType&) {
  return make<BinaryView>(column, [](WireBuffer& out, std::string_view bytes) -> const char* {
    return out.put_bytes(bytes), nullptr;
  });
}

std::unique_ptr<FieldEncoder> make_jsonb(const ColumnOfBatch& column, const PgType&) {
  return make<Utf8View>(column, [](WireBuffer& out, std::string_view text) -> const char* {
    if (has_nul(text)) return kNul;
    out.put(static_cast<int32_t>(text.size() + 1));
    out.put('\1');
    return out.append(text), nullptr;
  });
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const char* put_uuid(WireBuffer& out, std::string_view text) {
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
  return out.put_bytes({bytes, sizeof bytes}), nullptr;
}

std::unique_ptr<FieldEncoder> make_uuid(const ColumnOfBatch& column, const PgType&) {
  return make<Utf8View>(column, put_uuid);
}

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

// A double in a real column would lose digits in silence: the server, given text, rounds as well.
MakeEncoder float_encoder(TypeId from, PgKind to) {
  if (to == PgKind::kFloat4 && from == TypeId::kFloat32) return make_float4;
  if (to != PgKind::kFloat8) return nullptr;
  return from == TypeId::kFloat32 ? make_float8<Float32View> : make_float8<Float64View>;
}

MakeEncoder integer_encoder(TypeId from, PgKind to) {
  switch (from) {
    case TypeId::kInt8:
      return integer_encoder<Int8View>(to);
    case TypeId::kInt16:
      return integer_encoder<Int16View>(to);
    case TypeId::kInt32:
      return integer_encoder<Int32View>(to);
    case TypeId::kInt64:
      return integer_encoder<Int64View>(to);
    case TypeId::kUint8:
      return integer_encoder<Uint8View>(to);
    case TypeId::kUint16:
      return integer_encoder<Uint16View>(to);
    case TypeId::kUint32:
      return integer_encoder<Uint32View>(to);
    default:
      return integer_encoder<Uint64View>(to);
  }
}

}  // namespace

MakeEncoder find_encoder(const Type& from, const PgType& to) {
  const auto when = [&](PgKind kind, MakeEncoder make) { return to.kind == kind ? make : nullptr; };
  switch (from.id) {
    case TypeId::kBool:
      return when(PgKind::kBool, make_bool);
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return float_encoder(from.id, to.kind);
    case TypeId::kDecimal128:
      return when(PgKind::kNumeric, make_decimal);
    case TypeId::kUtf8:
      return text_encoder(to.kind);
    case TypeId::kBinary:
      return when(PgKind::kBytea, make_binary);
    case TypeId::kDate32:
      return when(PgKind::kDate, make_date);
    case TypeId::kTime64:
      return when(PgKind::kTime, make_time);
    case TypeId::kTimestamp:
      return when(from.timezone.empty() ? PgKind::kTimestamp : PgKind::kTimestamptz,
                  make_timestamp);
    case TypeId::kStruct:
    case TypeId::kList:
      return find_nested_encoder(from, to);
    default:
      return integer_encoder(from.id, to.kind);
  }
}

}  // namespace patchbay
