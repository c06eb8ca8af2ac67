// Streams' types as BigQuery's, and what a table lacks of a stream.
#pragma once

#include <json/value.h>

#include <optional>
#include <string>
#include <vector>

#include "patchbay/type.h"

namespace patchbay {

// {"fields": [..]} as tables.insert takes it. Throws Error kConfig for a type BigQuery has not (a
// list of lists).
Json::Value bq_schema(const Schema& schema);

// The column of that name, or null: BigQuery tells names apart regardless of case.
const Json::Value* find_column(const Json::Value& fields, const std::string& name);

struct MissingColumn {
  std::string path;  // recipient.suffix
  Type type;
};

struct BqComparison {
  // The stream's columns that the table has not, nested ones too.
  std::vector<MissingColumn> missing;
  // Why a column can't take its field, or has to have a value that the stream lacks; each with what
  // to do.
  std::vector<std::string> misfits;
};
BqComparison compare_columns(const Schema& stream, const Json::Value& table_fields);
// The missing ones. Throws Error kSchema for the first misfit.
std::vector<MissingColumn> missing_columns(const Schema& stream, const Json::Value& table_fields);

// The stream with the names of its fields as the table spells them, nested ones too.
Schema as_spelled(const Schema& stream, const Json::Value& table_fields);

// What an upsert sets: the paths of the stream's columns as the table spells them, and inside a
// record that has more members than the stream those of the members. Throws Error kSchema for a
// list of such records: a list is set as a whole.
std::vector<std::vector<std::string>> paths_to_set(const Schema& stream,
                                                   const Json::Value& table_fields);

// Both schemas' fields in one. Throws Error kSchema where a column has two types.
Json::Value union_of_fields(const Json::Value& a, const Json::Value& b);

// The table's schema with a column added at the path.
Json::Value with_column(Json::Value table_schema, const std::string& path, const Type& type);

// The type that text has to have to become a value of the column, for columns that are not text
// themselves; nothing where the text goes as it is.
std::optional<Type> parsed_type(const std::string& bq_type);

}  // namespace patchbay
