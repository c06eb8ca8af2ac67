#include "copy_decode.h"

#include <limits>

#include "pg_numeric.h"
#include "wire.h"

namespace patchbay {
namespace {

constexpr std::string_view kSignature{"PGCOPY\n\377\r\n\0", 11};
constexpr const char* kInfinite = "is infinite, or beyond what a timestamp can be";
constexpr const char* kBroken = "is no value of its type";

template <class T, class B>
const char* decode_fixed(const PgType&, const Type&, ColumnBuilder& out, std::string_view field) {
  if (field.size() != sizeof(T)) return kBroken;
  static_cast<B&>(out).append(get_wire<T>(field.data()));
  return nullptr;
}

const char* decode_bool(const PgType&, const Type&, ColumnBuilder& out, std::string_view field) {
  if (field.size() != 1) return kBroken;
  static_cast<BoolBuilder&>(out).append(field[0] != 0);
  return nullptr;
}

const char* decode_float4(const PgType&, const Type&, ColumnBuilder& out, std::string_view field) {
  if (field.size() != 4) return kBroken;
  static_cast<Float32Builder&>(out).append(std::bit_cast<float>(get_wire<uint32_t>(field.data())));
  return nullptr;
}

const char* decode_float8(const PgType&, const Type&, ColumnBuilder& out, std::string_view field) {
  if (field.size() != 8) return kBroken;
  static_cast<Float64Builder&>(out).append(std::bit_cast<double>(get_wire<uint64_t>(field.data())));
  return nullptr;
}

const char* decode_numeric(const PgType&, const Type& to, ColumnBuilder& out,
                           std::string_view field) {
  const auto value = parse_numeric(field, to.precision, to.scale);
  if (!value) return "does not fit the column's digits exactly, or is no number";
  static_cast<DecimalBuilder&>(out).append(*value);
  return nullptr;
}

const char* decode_bytes(const PgType&, const Type&, ColumnBuilder& out, std::string_view field) {
  static_cast<BytesBuilder&>(out).append(field);
  return nullptr;
}

const char* decode_jsonb(const PgType&, const Type&, ColumnBuilder& out, std::string_view field) {
  if (field.empty() || field[0] != '\1') return kBroken;
  static_cast<Utf8Builder&>(out).append(field.substr(1));
  return nullptr;
}

const char* decode_date(const PgType&, const Type&, ColumnBuilder& out, std::string_view field) {
  if (field.size() != 4) return kBroken;
  const auto days = get_wire<int32_t>(field.data());
  if (days > std::numeric_limits<int32_t>::max() - kEpochDays ||
      days == std::numeric_limits<int32_t>::min())
    return kInfinite;
  static_cast<Date32Builder&>(out).append(days + kEpochDays);
  return nullptr;
}

const char* decode_timestamp(const PgType&, const Type&, ColumnBuilder& out,
                             std::string_view field) {
  if (field.size() != 8) return kBroken;
  const auto micros = get_wire<int64_t>(field.data());
  if (micros > std::numeric_limits<int64_t>::max() - kEpochMicros ||
      micros == std::numeric_limits<int64_t>::min())
    return kInfinite;
  static_cast<TimestampBuilder&>(out).append(micros + kEpochMicros);
  return nullptr;
}

const char* decode_uuid(const PgType&, const Type&, ColumnBuilder& out, std::string_view field) {
  if (field.size() != 16) return kBroken;
  char text[36];
  size_t at = 0;
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text[at++] = '-';
    const auto byte = static_cast<unsigned char>(field[i]);
    text[at++] = "0123456789abcdef"[byte >> 4];
    text[at++] = "0123456789abcdef"[byte & 15];
  }
  static_cast<Utf8Builder&>(out).append({text, sizeof text});
  return nullptr;
}

DecodeField decoder_of(PgKind kind);

// Dimensions, null flag, item type, size and lower bound of each dimension; then the items.
const char* decode_array(const PgType& from, const Type& to, ColumnBuilder& out,
                         std::string_view field) {
  if (field.size() < 12) return kBroken;
  auto& list = static_cast<ListBuilder&>(out);
  const auto dimensions = get_wire<int32_t>(field.data());
  if (dimensions == 0) return list.append(), nullptr;
  if (dimensions != 1) return "has more than one dimension";
  if (field.size() < 20) return kBroken;
  const auto count = get_wire<int32_t>(field.data() + 12);
  const PgType item{from.item, from.item_oid, from.precision, from.scale, PgKind::kOther, 0};
  const DecodeField decode = decoder_of(from.item);
  std::string_view rest = field.substr(20);
  const int64_t before = list.item().length();
  list.append();
  const auto fail = [&](const char* why) {
    list.item().truncate(before);
    list.truncate(list.length() - 1);
    return why;
  };
  for (int32_t i = 0; i < count; ++i) {
    if (rest.size() < 4) return fail(kBroken);
    const auto size = get_wire<int32_t>(rest.data());
    rest.remove_prefix(4);
    if (size < 0) {
      list.item().append_null();
      continue;
    }
    if (rest.size() < static_cast<size_t>(size)) return fail(kBroken);
    if (const char* why =
            decode(item, to.fields[0].type, list.item(), rest.substr(0, static_cast<size_t>(size))))
      return fail(why);
    rest.remove_prefix(static_cast<size_t>(size));
  }
  return nullptr;
}

DecodeField decoder_of(PgKind kind) {
  switch (kind) {
    case PgKind::kBool:
      return decode_bool;
    case PgKind::kInt2:
      return decode_fixed<int16_t, Int16Builder>;
    case PgKind::kInt4:
      return decode_fixed<int32_t, Int32Builder>;
    case PgKind::kInt8:
      return decode_fixed<int64_t, Int64Builder>;
    case PgKind::kFloat4:
      return decode_float4;
    case PgKind::kFloat8:
      return decode_float8;
    case PgKind::kNumeric:
      return decode_numeric;
    case PgKind::kDate:
      return decode_date;
    case PgKind::kTime:
      return decode_fixed<int64_t, Time64Builder>;
    case PgKind::kTimestamp:
    case PgKind::kTimestamptz:
      return decode_timestamp;
    case PgKind::kUuid:
      return decode_uuid;
    case PgKind::kJsonb:
      return decode_jsonb;
    case PgKind::kArray:
      return decode_array;
    default:
      return decode_bytes;
  }
}

[[noreturn]] void broken_copy() {
  throw Error(Code::kData, "postgres: what the server sends is no binary COPY");
}

// The fields of a row, one after the other.
class Fields {
 public:
  Fields(std::string_view row, size_t expected) : rest_(row.substr(2)) {
    if (get_wire<int16_t>(row.data()) != static_cast<int16_t>(expected)) broken_copy();
  }
  // Nothing for null.
  std::optional<std::string_view> next() {
    if (rest_.size() < 4) broken_copy();
    const auto size = get_wire<int32_t>(rest_.data());
    rest_.remove_prefix(4);
    if (size < 0) return std::nullopt;
    if (rest_.size() < static_cast<size_t>(size)) broken_copy();
    const std::string_view field = rest_.substr(0, static_cast<size_t>(size));
    rest_.remove_prefix(static_cast<size_t>(size));
    return field;
  }

 private:
  std::string_view rest_;
};

std::string hex_of(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

}  // namespace

CopyDecoder::CopyDecoder(SchemaPtr schema, const std::vector<PgColumn>& columns, size_t extra)
    : extra_(extra) {
  for (size_t i = 0; i < columns.size(); ++i) {
    columns_.push_back({columns[i].type, schema->fields[i].type, decoder_of(columns[i].type.kind),
                        columns[i].name});
  }
}

std::optional<std::string_view> CopyDecoder::row_of(std::string_view piece) {
  if (!started_) {  // the header comes in front of the first row, in the same piece or alone
    started_ = true;
    if (!piece.starts_with(kSignature) || piece.size() < 19) broken_copy();
    const auto extension = get_wire<uint32_t>(piece.data() + 15);
    if (piece.size() - 19 < extension) broken_copy();
    piece.remove_prefix(19 + extension);
    if (piece.empty()) return std::nullopt;
  }
  if (piece.size() < 2) broken_copy();
  if (get_wire<int16_t>(piece.data()) == -1) return std::nullopt;
  return piece;
}

std::string CopyDecoder::append(std::string_view row, BatchBuilder& batch) const {
  Fields fields(row, columns_.size() + extra_);
  const int64_t before = batch.rows();
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    const auto field = fields.next();
    if (!field) {
      batch.column(i).append_null();
    } else if (const char* why = column.decode(column.from, column.to, batch.column(i), *field)) {
      batch.truncate(before);
      return column.name + ": " + why;
    }
  }
  return "";
}

std::optional<std::string> CopyDecoder::last_field(std::string_view row) const {
  Fields fields(row, columns_.size() + extra_);
  std::optional<std::string_view> last;
  for (size_t i = 0; i < columns_.size() + extra_; ++i) last = fields.next();
  return last ? std::optional<std::string>(*last) : std::nullopt;
}

Json::Value CopyDecoder::describe(std::string_view row) const {
  Fields fields(row, columns_.size() + extra_);
  Json::Value out(Json::objectValue);
  for (const auto& column : columns_) {
    const auto field = fields.next();
    const bool text = column.decode == decode_bytes && column.to.id == TypeId::kUtf8;
    out[column.name] = !field ? Json::Value() : text ? std::string(*field) : hex_of(*field);
  }
  return out;
}

}  // namespace patchbay
