#include "bq_schema.h"

#include <algorithm>
#include <array>

#include "bq_names.h"
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

const Type& value_of(const Type& type) {
  return type.id == TypeId::kList ? type.fields[0].type : type;
}

bool is_repeated(const Json::Value& column) { return column["mode"].asString() == "REPEATED"; }

const Field* find_field(const std::vector<Field>& stream, const Json::Value& column) {
  const auto found = std::find_if(stream.begin(), stream.end(), [&](const Field& field) {
    return tables::same_column(kBqNames, field.name, column["name"].asString());
  });
  return found == stream.end() ? nullptr : &*found;
}

// A row that lacks a REQUIRED column would be refused, and each of them would be.
void compare_required(const std::vector<Field>& stream, const Json::Value& table,
                      const std::string& path, BqComparison& out) {
  for (const auto& column : table) {
    if (column["mode"].asString() != "REQUIRED" || column.isMember("defaultValueExpression") ||
        find_field(stream, column))
      continue;
    out.misfits.push_back(path + column["name"].asString() +
                          ": the table's column is REQUIRED, and the stream has no such field; set "
                          "it with `fields`, or make the column NULLABLE");
  }
}

void compare(const std::vector<Field>& stream, const Json::Value& table, const std::string& path,
             BqComparison& out) {
  compare_required(stream, table, path, out);
  for (const auto& field : stream) {
    const std::string at = path + field.name;
    const Json::Value* column = find_column(table, field.name);
    if (!column) {
      out.missing.push_back({at, field.type});
      continue;
    }
    const Json::Value wanted = bq_field(field.name, field.type, path);
    const std::string type = legacy_name((*column)["type"].asString());
    const bool repeated = is_repeated(*column);
    if (repeated != is_repeated(wanted) || !takes(type, wanted["type"].asString())) {
      out.misfits.push_back(at + ": the table's column is " + (repeated ? "REPEATED " : "") + type +
                            ", the stream's " + type_name(field.type) +
                            " does not fit; cast it with `fields`, or change the table");
      continue;
    }
    const Type& value = value_of(field.type);
    if (value.id == TypeId::kStruct) compare(value.fields, (*column)["fields"], at + ".", out);
  }
}

Type spelled_type(const Type& type, const Json::Value& column);

std::vector<Field> spelled(const std::vector<Field>& stream, const Json::Value& table) {
  std::vector<Field> out = stream;
  for (auto& field : out) {
    const Json::Value* column = find_column(table, field.name);
    if (!column) continue;
    field.name = (*column)["name"].asString();
    field.type = spelled_type(field.type, *column);
  }
  return out;
}

Type spelled_type(const Type& type, const Json::Value& column) {
  Type out = type;
  if (type.id == TypeId::kStruct) out.fields = spelled(type.fields, column["fields"]);
  if (type.id == TypeId::kList) out.fields[0].type = spelled_type(type.fields[0].type, column);
  return out;
}

// The record, or one inside of it, has a member that the stream lacks.
bool has_more(const Type& stream, const Json::Value& column) {
  const Type& value = value_of(stream);
  if (value.id != TypeId::kStruct) return false;
  for (const auto& member : column["fields"]) {
    const Field* field = find_field(value.fields, member);
    if (!field || has_more(field->type, member)) return true;
  }
  return false;
}

void collect_paths(const std::vector<Field>& stream, const Json::Value& table,
                   const std::vector<std::string>& path,
                   std::vector<std::vector<std::string>>& out) {
  for (const auto& field : stream) {
    const Json::Value* column = find_column(table, field.name);
    if (!column) continue;
    std::vector<std::string> at = path;
    at.push_back((*column)["name"].asString());
    if (!has_more(field.type, *column)) {
      out.push_back(std::move(at));
    } else if (is_repeated(*column)) {
      throw Error(Code::kSchema,
                  field.name +
                      ": is a list whose records have more members in the table than in "
                      "the stream, and an upsert would empty them; add the members with "
                      "`fields`, or leave the list out");
    } else {
      collect_paths(field.type.fields, (*column)["fields"], at, out);
    }
  }
}

}  // namespace

const Json::Value* find_column(const Json::Value& fields, const std::string& name) {
  for (const auto& field : fields) {
    if (tables::same_column(kBqNames, field["name"].asString(), name)) return &field;
  }
  return nullptr;
}

Json::Value bq_schema(const Schema& schema) {
  tables::require_names(kBqNames, schema.fields, true);
  Json::Value out;
  out["fields"] = Json::arrayValue;
  for (const auto& field : schema.fields)
    out["fields"].append(bq_field(field.name, field.type, ""));
  return out;
}

BqComparison compare_columns(const Schema& stream, const Json::Value& table_fields) {
  tables::require_names(kBqNames, stream.fields, true);
  BqComparison out;
  compare(stream.fields, table_fields, "", out);
  return out;
}

std::vector<MissingColumn> missing_columns(const Schema& stream, const Json::Value& table_fields) {
  BqComparison found = compare_columns(stream, table_fields);
  if (!found.misfits.empty()) throw Error(Code::kSchema, found.misfits[0]);
  return std::move(found.missing);
}

Schema as_spelled(const Schema& stream, const Json::Value& table_fields) {
  Schema out = stream;
  out.fields = spelled(stream.fields, table_fields);
  return out;
}

std::vector<std::vector<std::string>> paths_to_set(const Schema& stream,
                                                   const Json::Value& table_fields) {
  std::vector<std::vector<std::string>> out;
  collect_paths(stream.fields, table_fields, {}, out);
  return out;
}

Json::Value union_of_fields(const Json::Value& a, const Json::Value& b) {
  Json::Value out = a;
  for (const auto& field : b) {
    const Json::Value* found = find_column(out, field["name"].asString());
    if (!found) {
      out.append(field);
      continue;
    }
    auto& own = const_cast<Json::Value&>(*found);
    if (legacy_name(own["type"].asString()) != legacy_name(field["type"].asString()) ||
        is_repeated(own) != is_repeated(field)) {
      throw Error(Code::kSchema, field["name"].asString() +
                                     ": comes with two types into a table that is made anew; cast "
                                     "it to one of them with `fields`");
    }
    if (own.isMember("fields")) own["fields"] = union_of_fields(own["fields"], field["fields"]);
  }
  return out;
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
