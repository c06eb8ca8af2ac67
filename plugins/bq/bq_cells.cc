#include "bq_cells.h"

#include <charconv>

#include "patchbay/text_value.h"

namespace patchbay {
namespace {

std::string from_base64(const std::string& text) {
  std::string out;
  uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (value < 0) continue;
    group = group << 6 | static_cast<uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(group >> bits & 0xff);
  }
  return out;
}

[[noreturn]] void misfit(const Field& field, const Type& type) {
  throw Error(Code::kData, field.name + ": BigQuery sent a value that is no " + type_name(type));
}

// The value of {"v": ..}; null where the row is shorter than its schema.
const Json::Value& value_of(const Json::Value& cell, const Field& field, const Type& type) {
  if (!cell.isObject() && !cell.isNull()) misfit(field, type);
  return cell["v"];
}

// Cell i of {"f": [..]}.
const Json::Value& cell_of(const Json::Value& row, size_t i, const Field& field) {
  if (!row.isObject() || !row["f"].isArray()) misfit(field, field.type);
  return value_of(row["f"][static_cast<Json::ArrayIndex>(i)], field, field.type);
}

void append_cell(ColumnBuilder& out, const Field& field, const Type& type,
                 const Json::Value& value);

void append_record(StructBuilder& out, const Type& type, const Json::Value& value) {
  out.append();
  for (size_t i = 0; i < type.fields.size(); ++i) {
    const Field& member = type.fields[i];
    append_cell(out.member(i), member, member.type, cell_of(value, i, member));
  }
}

void append_text(ColumnBuilder& out, const Field& field, const Type& type,
                 const std::string& text) {
  if (type.id == TypeId::kBinary) return static_cast<BinaryBuilder&>(out).append(from_base64(text));
  if (type.id == TypeId::kTimestamp && !type.timezone.empty()) {
    int64_t micros = 0;  // formatOptions.useInt64Timestamp
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), micros);
    if (error != std::errc() || end != text.data() + text.size()) misfit(field, type);
    return static_cast<TimestampBuilder&>(out).append(micros);
  }
  if (!TextAppender(type, out).append(text)) misfit(field, type);
}

void append_cell(ColumnBuilder& out, const Field& field, const Type& type,
                 const Json::Value& value) {
  if (type.id == TypeId::kList) {
    if (!value.isArray() && !value.isNull()) misfit(field, type);
    auto& list = static_cast<ListBuilder&>(out);
    list.append();
    const Type& item = type.fields[0].type;
    for (const auto& cell : value)
      append_cell(list.item(), field, item, value_of(cell, field, item));
  } else if (value.isNull()) {
    out.append_null();
  } else if (type.id == TypeId::kStruct) {
    append_record(static_cast<StructBuilder&>(out), type, value);
  } else if (!value.isConvertibleTo(Json::stringValue)) {
    misfit(field, type);
  } else {
    append_text(out, field, type, value.asString());
  }
}

}  // namespace

void append_cells(BatchBuilder& batch, const Json::Value& row) {
  const auto& fields = batch.schema()->fields;
  for (size_t i = 0; i < fields.size(); ++i)
    append_cell(batch.column(i), fields[i], fields[i].type, cell_of(row, i, fields[i]));
}

}  // namespace patchbay
