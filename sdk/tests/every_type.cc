#include "every_type.h"

namespace patchbay {
namespace {

bool is_null_at(int64_t i, size_t column) { return (i + static_cast<int64_t>(column)) % 7 == 0; }

template <class B, class T>
void put(BatchBuilder& out, size_t column, int64_t i, T value) {
  auto& builder = out.column<B>(column);
  if (is_null_at(i, column)) {
    builder.append_null();
  } else {
    builder.append(static_cast<typename B::Value>(value));
  }
}

void put_list(ListBuilder& list, int64_t i) {
  if (is_null_at(i, 18)) return list.append_null();
  list.append();
  for (int64_t n = 0; n < i % 4; ++n) list.item<Utf8Builder>().append("item " + std::to_string(n));
}

void put_struct(StructBuilder& row, int64_t i) {
  if (is_null_at(i, 19)) return row.append_null();
  row.append();
  row.member<Int64Builder>(0).append(i * 10);
  auto& flags = row.member<ListBuilder>(1);
  flags.append();
  for (int64_t n = 0; n < i % 3; ++n) flags.item<BoolBuilder>().append(n == 1);
}

// list<struct<a: int32>>
void put_structs(ListBuilder& list, int64_t i) {
  if (is_null_at(i, 20)) return list.append_null();
  list.append();
  auto& item = list.item<StructBuilder>();
  for (int64_t n = 0; n < i % 3; ++n) {
    item.append();
    item.member<Int32Builder>(0).append(static_cast<int32_t>(i + n));
  }
}

}  // namespace

SchemaPtr every_type() {
  std::vector<Field> fields;
  for (int id = 0; id <= static_cast<int>(TypeId::kFloat64); ++id) {
    const Type type = scalar(static_cast<TypeId>(id));
    fields.push_back({type_name(type), type, true});
  }
  for (const char* name :
       {"decimal128(12, 3)", "utf8", "binary", "date32", "time64[us]", "timestamp[us]",
        "timestamp[us, Europe/Berlin]", "list<utf8>", "struct<id: int64, flags: list<bool>>",
        "list<struct<a: int32>>", "arrow.json"}) {
    fields.push_back({name, parse_type(name), true});
  }
  return std::make_shared<Schema>(Schema{"everything", fields, {"int64", "utf8"}});
}

void append_row(BatchBuilder& out, int64_t i) {
  put<BoolBuilder>(out, 0, i, i % 2 == 0);
  put<Int8Builder>(out, 1, i, i - 100);
  put<Int16Builder>(out, 2, i, i - 1000);
  put<Int32Builder>(out, 3, i, i - 100'000);
  put<Int64Builder>(out, 4, i, i - 10'000'000'000);
  put<Uint8Builder>(out, 5, i, i + 100);
  put<Uint16Builder>(out, 6, i, i + 60'000);
  put<Uint32Builder>(out, 7, i, i + 4'000'000'000);
  put<Uint64Builder>(out, 8, i, UINT64_MAX - static_cast<uint64_t>(i));
  put<Float32Builder>(out, 9, i, 0.5 * static_cast<double>(i));
  put<Float64Builder>(out, 10, i, 0.1 * static_cast<double>(i));
  put<DecimalBuilder>(out, 11, i, i - 12'345);
  put<Utf8Builder>(out, 12, i, std::string_view("text of some length").substr(0, i % 19));
  put<BinaryBuilder>(out, 13, i, std::string_view("\0\xff\x80", 3));
  put<Date32Builder>(out, 14, i, i - 20);
  put<Time64Builder>(out, 15, i, i * 1'000'003);
  put<TimestampBuilder>(out, 16, i, i * 86'400'000'001);
  put<TimestampBuilder>(out, 17, i, -i * 86'400'000'001);
  put_list(out.column<ListBuilder>(18), i);
  put_struct(out.column<StructBuilder>(19), i);
  put_structs(out.column<ListBuilder>(20), i);
  put<Utf8Builder>(out, 21, i, std::string_view(R"({"a":[1,null]})"));
}

Batch rows_of_every_type(int64_t rows) {
  BatchBuilder out(every_type());
  for (int64_t i = 0; i < rows; ++i) append_row(out, i);
  return out.finish();
}

std::vector<std::string> as_json(const Schema& schema, const ArrowArray& array) {
  std::vector<std::string> rows;
  for (int64_t i = 0; i < array.length; ++i) rows.push_back(row_to_json(schema, array, i));
  return rows;
}

std::vector<std::string> as_json(const Batch& batch) {
  return as_json(*batch.schema(), batch.array());
}

}  // namespace patchbay
