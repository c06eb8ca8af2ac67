#include "copy_decode.h"

#include "patchbay/tables/cursor.h"

#include <limits>

#include "patchbay/text_value.h"
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
  if (!value) return "does not fit decimal128 exactly, or is no number; numeric: text reads any";
  static_cast<DecimalBuilder&>(out).append(*value);
  return nullptr;
}

const char* decode_bytes(const PgType&, const Type&, ColumnBuilder& out, std::string_view field) {
  static_cast<BytesBuilder&>(out).append(field);
  return nullptr;
}

// For databases whose text may be any bytes.
const char* decode_checked(const PgType& from, const Type& to, ColumnBuilder& out,
                           std::string_view field) {
  if (!is_utf8(field)) return "is no UTF-8; the database keeps text as any bytes";
  return decode_bytes(from, to, out, field);
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
  if (dimensions != 1) return "has more than one dimension; read it by a query, with to_jsonb()";
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
  Fields(std::string_view row, size_t expected)
      : at_(row.data() + 2), end_(row.data() + row.size()) {
    if (get_wire<int16_t>(row.data()) != static_cast<int16_t>(expected)) broken_copy();
  }
  // False for null.
  bool next(std::string_view& field) {
    if (end_ - at_ < 4) broken_copy();
    const auto size = get_wire<int32_t>(at_);
    at_ += 4;
    if (size < 0) return false;
    if (end_ - at_ < size) broken_copy();
    field = {at_, static_cast<size_t>(size)};
    at_ += size;
    return true;
  }

 private:
  const char* at_;
  const char* const end_;
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

CopyDecoder::CopyDecoder(SchemaPtr schema, const std::vector<PgColumn>& columns, size_t extra,
                         bool any_bytes)
    : extra_(extra) {
  for (size_t i = 0; i < columns.size(); ++i) {
    const Type& to = schema->fields[i].type;
    DecodeField decode = decoder_of(columns[i].type.kind);
    if (any_bytes && decode == decode_bytes && to.id == TypeId::kUtf8) decode = decode_checked;
    columns_.push_back({columns[i].type, to, decode, columns[i].name, nullptr});
  }
}

void CopyDecoder::attach(BatchBuilder& batch) {
  for (size_t i = 0; i < columns_.size(); ++i) columns_[i].builder = &batch.column(i);
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

std::optional<std::string> CopyDecoder::append(std::string_view row, BatchBuilder& batch) const {
  Fields fields(row, columns_.size() + extra_);
  std::string_view field;
  for (const Column& column : columns_) {
    if (!fields.next(field)) {
      column.builder->append_null();
    } else if (const char* why = column.decode(column.from, column.to, *column.builder, field)) {
      // The last column has not got this row: its length is what all had before.
      batch.truncate(columns_.back().builder->length());
      return column.name + ": " + why;
    }
  }
  return std::nullopt;
}

std::vector<std::optional<std::string>> CopyDecoder::extra_fields(std::string_view row) const {
  Fields fields(row, columns_.size() + extra_);
  std::string_view field;
  for (size_t i = 0; i < columns_.size(); ++i) fields.next(field);
  std::vector<std::optional<std::string>> out(extra_);
  for (auto& extra : out) {
    if (fields.next(field)) extra = std::string(field);
  }
  return out;
}

uint64_t CopyDecoder::digest(std::string_view row, const std::vector<uint64_t>& names) const {
  Fields fields(row, columns_.size() + extra_);
  std::string_view field;
  tables::RowDigest out;
  for (const uint64_t name : names) {
    if (fields.next(field)) out.add_bytes(name, field);
  }
  return out.value();
}

Json::Value CopyDecoder::describe(std::string_view row) const {
  Fields fields(row, columns_.size() + extra_);
  std::string_view field;
  Json::Value out(Json::objectValue);
  for (const auto& column : columns_) {
    const bool text = column.decode == decode_bytes && column.to.id == TypeId::kUtf8;
    if (!fields.next(field)) {
      out[column.name] = Json::Value();
    } else {
      out[column.name] = text ? std::string(field) : hex_of(field);
    }
  }
  return out;
}

}  // namespace patchbay
