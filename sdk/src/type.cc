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

[[noreturn]] void bad_description(const std::string& why) {
  throw Error(Code::kData, "stream description: " + why);
}

// The description is a component's answer, so a bad type in it is bad data, not bad configuration.
Type described_type(const std::string& field, const std::string& type) {
  try {
    return parse_type(type);
  } catch (const Error& error) {
    bad_description("field " + field + ": " + error.what());
  }
}

Field field_from_json(const Json::Value& json) {
  if (!json.isObject() || !json["name"].isString() || !json["type"].isString()) {
    bad_description("a field needs a name and a type, both text");
  }
  const Json::Value nullable = json.get("nullable", true);
  const std::string name = json["name"].asString();
  if (!nullable.isBool()) bad_description("field " + name + ": nullable must be true or false");
  return {name, described_type(name, json["type"].asString()), nullable.asBool()};
}

std::string key_from_json(const Json::Value& json) {
  if (!json.isString()) bad_description("keys must be names of fields");
  return json.asString();
}

const Json::Value& array_in(const Json::Value& description, const char* member) {
  const Json::Value& array = description[member];
  if (!array.isNull() && !array.isArray()) bad_description(std::string(member) + " must be a list");
  return array;
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
  if (!schema.reference.empty()) out["reference"] = schema.reference;
  return out;
}

Schema schema_from_json(const Json::Value& description) {
  if (!description.isObject() || !description["name"].isString()) {
    bad_description("needs a name");
  }
  Schema schema;
  schema.name = description["name"].asString();
  for (const auto& field : array_in(description, "fields")) {
    schema.fields.push_back(field_from_json(field));
  }
  for (const auto& key : array_in(description, "keys")) schema.keys.push_back(key_from_json(key));
  if (description["reference"].isString()) schema.reference = description["reference"].asString();
  return schema;
}

}  // namespace patchbay
