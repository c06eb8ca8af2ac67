#include "bq_schema.h"

#include <algorithm>
#include <array>
#include <map>

#include "patchbay/error.h"

namespace patchbay {
namespace {

std::string decimal_type(const Type& type) {
  return type.scale <= 9 && type.precision - type.scale <= 29 ? "NUMERIC" : "BIGNUMERIC";
}

std::string bq_type(const Type& type) {
  switch (type.id) {
    case TypeId::kBool:
      return "BOOLEAN";
    case TypeId::kUint64:
      return "NUMERIC";  // INTEGER ends at 2^63 - 1
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return "FLOAT";
    case TypeId::kDecimal128:
      return decimal_type(type);
    case TypeId::kUtf8:
      return type.json ? "JSON" : "STRING";
    case TypeId::kBinary:
      return "BYTES";
    case TypeId::kDate32:
      return "DATE";
    case TypeId::kTime64:
      return "TIME";
    case TypeId::kTimestamp:
      return type.timezone.empty() ? "DATETIME" : "TIMESTAMP";
    case TypeId::kStruct:
      return "RECORD";
    default:
      return "INTEGER";
  }
}

Json::Value bq_field(const std::string& name, const Type& type, const std::string& path) {
  Json::Value field;
  field["name"] = name;
  const Type* value = &type;
  field["mode"] = "NULLABLE";
  if (type.id == TypeId::kList) {
    value = &type.fields[0].type;
    field["mode"] = "REPEATED";
    if (value->id == TypeId::kList) {
      throw Error(
          Code::kConfig,
          path + name +
              ": is a list of lists, which BigQuery has not; cast or drop it with `fields`");
    }
  }
  field["type"] = bq_type(*value);
  for (const auto& member : value->fields)
    field["fields"].append(bq_field(member.name, member.type, path + name + "."));
  return field;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

// BigQuery does not tell upper case from lower: of two such fields one would replace the other.
void require_names_apart(const std::vector<Field>& fields, const std::string& path) {
  std::map<std::string, std::string> seen;
  for (const auto& field : fields) {
    const auto [other, is_new] = seen.emplace(lower(field.name), field.name);
    if (!is_new) {
      throw Error(Code::kConfig, path + field.name + ": is the same column in BigQuery as " + path +
                                     other->second + "; rename or drop one of them with `fields`");
    }
    const Type& type = field.type;
    require_names_apart(type.id == TypeId::kList ? type.fields[0].type.fields : type.fields,
                        path + field.name + ".");
  }
}

// The names that answers use: https://cloud.google.com/bigquery/docs/reference/rest/v2/tables
std::string legacy_name(const std::string& type) {
  constexpr std::array<std::pair<const char*, const char*>, 6> kNames{
      {{"INT64", "INTEGER"},
       {"FLOAT64", "FLOAT"},
       {"BOOL", "BOOLEAN"},
       {"STRUCT", "RECORD"},
       {"DECIMAL", "NUMERIC"},
       {"BIGDECIMAL", "BIGNUMERIC"}}};
  for (const auto& [name, legacy] : kNames) {
    if (type == name) return legacy;
  }
  return type;
}

bool takes(const std::string& column, const std::string& stream) {
  if (column == stream) return true;
  const auto among = [&](std::initializer_list<const char*> types) {
    return std::find(types.begin(), types.end(), column) != types.end();
  };
  if (stream == "INTEGER") return among({"FLOAT", "NUMERIC", "BIGNUMERIC"});
  if (stream == "STRING") return !among({"RECORD", "BYTES"});  // text is parsed row by row
  if (stream == "NUMERIC") return among({"BIGNUMERIC"});
  if (stream == "DATE") return among({"DATETIME", "TIMESTAMP"});
  return false;
}

// A row that lacks a REQUIRED column would be refused, and each of them would be.
void require_no_more(const std::vector<Field>& stream, const Json::Value& table,
                     const std::string& path) {
  for (const auto& column : table) {
    const std::string name = lower(column["name"].asString());
    const auto same = [&](const Field& field) { return lower(field.name) == name; };
    if (column["mode"].asString() != "REQUIRED" || column.isMember("defaultValueExpression") ||
        std::any_of(stream.begin(), stream.end(), same))
      continue;
    throw Error(Code::kSchema, path + column["name"].asString() +
                                   ": the table's column is REQUIRED, and the stream has no such "
                                   "field; set it with `fields`, or make the column NULLABLE");
  }
}

void compare(const std::vector<Field>& stream, const Json::Value& table, const std::string& path,
             std::vector<MissingColumn>& missing) {
  require_no_more(stream, table, path);
  for (const auto& field : stream) {
    const std::string at = path + field.name;
    const Json::Value* column = find_column(table, field.name);
    if (!column) {
      missing.push_back({at, field.type});
      continue;
    }
    const Json::Value wanted = bq_field(field.name, field.type, path);
    const std::string type = legacy_name((*column)["type"].asString());
    const bool repeated = (*column)["mode"].asString() == "REPEATED";
    if (repeated != (wanted["mode"].asString() == "REPEATED") ||
        !takes(type, wanted["type"].asString())) {
      throw Error(Code::kSchema, at + ": the table's column is " + (repeated ? "REPEATED " : "") +
                                     type + ", the stream's " + type_name(field.type) +
                                     " does not fit; cast it with `fields`, or change the table");
    }
    const Type& value = field.type.id == TypeId::kList ? field.type.fields[0].type : field.type;
    if (value.id == TypeId::kStruct) compare(value.fields, (*column)["fields"], at + ".", missing);
  }
}

}  // namespace

const Json::Value* find_column(const Json::Value& fields, const std::string& name) {
  const std::string wanted = lower(name);
  for (const auto& field : fields) {
    if (lower(field["name"].asString()) == wanted) return &field;
  }
  return nullptr;
}

Json::Value bq_schema(const Schema& schema) {
  require_names_apart(schema.fields, "");
  Json::Value out;
  out["fields"] = Json::arrayValue;
  for (const auto& field : schema.fields)
    out["fields"].append(bq_field(field.name, field.type, ""));
  return out;
}

std::vector<MissingColumn> missing_columns(const Schema& stream, const Json::Value& table_fields) {
  require_names_apart(stream.fields, "");
  std::vector<MissingColumn> missing;
  compare(stream.fields, table_fields, "", missing);
  return missing;
}

Json::Value with_column(Json::Value table_schema, const std::string& path, const Type& type) {
  Json::Value* fields = &table_schema["fields"];
  std::string rest = path;
  for (size_t dot = rest.find('.'); dot != std::string::npos; dot = rest.find('.')) {
    const Json::Value* record = find_column(*fields, rest.substr(0, dot));
    if (!record) throw Error(Code::kInternal, path + ": its record is not in the table");
    fields = &const_cast<Json::Value&>(*record)["fields"];
    rest = rest.substr(dot + 1);
  }
  if (!find_column(*fields, rest)) fields->append(bq_field(rest, type, ""));
  return table_schema;
}

std::optional<Type> parsed_type(const std::string& name) {
  const std::string type = legacy_name(name);
  if (type == "INTEGER") return scalar(TypeId::kInt64);
  if (type == "FLOAT") return scalar(TypeId::kFloat64);
  if (type == "BOOLEAN") return scalar(TypeId::kBool);
  if (type == "DATE") return scalar(TypeId::kDate32);
  if (type == "TIME") return scalar(TypeId::kTime64);
  if (type == "TIMESTAMP") return timestamp("UTC");
  if (type == "DATETIME") return timestamp("");
  if (type == "NUMERIC") return decimal(38, 9);
  if (type == "BIGNUMERIC") return decimal(38, 18);
  return std::nullopt;
}

}  // namespace patchbay
