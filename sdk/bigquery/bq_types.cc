#include "patchbay/bq_types.h"

namespace patchbay {
namespace {

Type type_of(const Json::Value& field);

std::vector<Field> fields_of(const Json::Value& list) {
  std::vector<Field> out;
  for (const auto& field : list) {
    Type type = type_of(field);
    if (field["mode"].asString() == "REPEATED") type = list_of(std::move(type));
    out.push_back(
        {field["name"].asString(), std::move(type), field["mode"].asString() != "REQUIRED"});
  }
  return out;
}

Type type_of(const Json::Value& field) {
  const std::string name = field["type"].asString();
  if (name == "INTEGER" || name == "INT64") return scalar(TypeId::kInt64);
  if (name == "FLOAT" || name == "FLOAT64") return scalar(TypeId::kFloat64);
  if (name == "BOOLEAN" || name == "BOOL") return scalar(TypeId::kBool);
  if (name == "BYTES") return scalar(TypeId::kBinary);
  if (name == "DATE") return scalar(TypeId::kDate32);
  if (name == "TIME") return scalar(TypeId::kTime64);
  if (name == "DATETIME") return timestamp("");
  if (name == "TIMESTAMP") return timestamp("UTC");
  if (name == "NUMERIC") return decimal(38, 9);
  if (name == "JSON") return json_text();
  if (name == "RECORD" || name == "STRUCT") return struct_of(fields_of(field["fields"]));
  return scalar(TypeId::kUtf8);  // STRING, BIGNUMERIC beyond decimal128, GEOGRAPHY, INTERVAL, RANGE
}

}  // namespace

Schema schema_of_table(const std::string& stream, const Json::Value& fields) {
  return {stream, fields_of(fields), {}};
}

}  // namespace patchbay
