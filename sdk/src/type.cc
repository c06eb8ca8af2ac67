#include "patchbay/type.h"

#include <json/value.h>

#include "patchbay/error.h"

namespace patchbay {

Type scalar(TypeId id) {
  Type type;
  type.id = id;
  return type;
}

Type decimal(int32_t precision, int32_t scale) {
  if (precision < 1 || precision > 38 || scale < 0 || scale > precision) {
    throw Error(Code::kConfig, "decimal128(" + std::to_string(precision) + ", " +
                                   std::to_string(scale) +
                                   "): precision must be 1 to 38 and scale 0 to precision");
  }
  Type type = scalar(TypeId::kDecimal128);
  type.precision = precision;
  type.scale = scale;
  return type;
}

Type timestamp(std::string timezone) {
  Type type = scalar(TypeId::kTimestamp);
  type.timezone = std::move(timezone);
  return type;
}

Type json_text() {
  Type type = scalar(TypeId::kUtf8);
  type.json = true;
  return type;
}

Type list_of(Type item) {
  Type type = scalar(TypeId::kList);
  type.fields.push_back({"item", std::move(item), true});
  return type;
}

Type struct_of(std::vector<Field> fields) {
  Type type = scalar(TypeId::kStruct);
  type.fields = std::move(fields);
  return type;
}

int Schema::index_of(std::string_view field) const {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == field) return static_cast<int>(i);
  }
  return -1;
}

namespace {

Json::Value field_to_json(const Field& field) {
  Json::Value out(Json::objectValue);
  out["name"] = field.name;
  out["type"] = type_name(field.type);
  out["nullable"] = field.nullable;
  return out;
}

Field field_from_json(const Json::Value& json) {
  if (!json.isObject() || !json["name"].isString() || !json["type"].isString()) {
    throw Error(Code::kData, "stream description: a field needs a name and a type, both text");
  }
  return {json["name"].asString(), parse_type(json["type"].asString()),
          json.get("nullable", true).asBool()};
}

}  // namespace

Json::Value to_json(const Schema& schema) {
  Json::Value out(Json::objectValue);
  out["name"] = schema.name;
  out["fields"] = Json::Value(Json::arrayValue);
  for (const auto& field : schema.fields) out["fields"].append(field_to_json(field));
  if (!schema.keys.empty()) {
    for (const auto& key : schema.keys) out["keys"].append(key);
  }
  return out;
}

Schema schema_from_json(const Json::Value& description) {
  if (!description.isObject() || !description["name"].isString()) {
    throw Error(Code::kData, "stream description: needs a name");
  }
  Schema schema;
  schema.name = description["name"].asString();
  for (const auto& field : description["fields"]) schema.fields.push_back(field_from_json(field));
  for (const auto& key : description["keys"]) schema.keys.push_back(key.asString());
  return schema;
}

}  // namespace patchbay
