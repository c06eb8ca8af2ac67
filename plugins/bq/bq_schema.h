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

// The stream's columns that the table has not, nested ones too. Throws Error kSchema where a
// column's type can't take the stream's.
std::vector<MissingColumn> missing_columns(const Schema& stream, const Json::Value& table_fields);

// The table's schema with a column added at the path.
Json::Value with_column(Json::Value table_schema, const std::string& path, const Type& type);

// The type that text has to have to become a value of the column, for columns that are not text
// themselves; nothing where the text goes as it is.
std::optional<Type> parsed_type(const std::string& bq_type);

}  // namespace patchbay
