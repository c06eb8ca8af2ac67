// A table that rows go to, as tables.get answers it, and the staging tables made after it.
#pragma once

#include <json/value.h>

#include <string>
#include <vector>

#include "patchbay/tables/columns.h"

namespace patchbay {

// A column of an upsert's staging table: rows as they came, since of a key's rows the last counts.
inline constexpr const char* kBqRowNumber = "_patchbay_row";

// Its columns, as far as writing goes.
std::vector<tables::Column> columns_of_target(const Json::Value& resource);
// With those that were streamed lately, which BigQuery estimates.
int64_t rows_of_target(const Json::Value& resource);
// A statement without a filter on its partitions is refused.
bool requires_filter(const Json::Value& resource);

// What tables.insert takes for a staging table with the target's columns. A copy job wants it
// partitioned and clustered as the target is.
Json::Value staging_like(const Json::Value& resource);
// The same for rows that are merged by keys: their numbers come along, and a key must have a value.
Json::Value staging_for_merge(const Json::Value& resource, const std::vector<std::string>& keys);
// With the stream's own columns, `fields`, for a target that is made anew. Throws Error kSchema
// where the target's partitions hang on a column that is not among them.
Json::Value staging_anew(const Json::Value& fields, const Json::Value& resource);

// How many fields there are, members of records included: staging tables of one target that have as
// many have the same.
int64_t count_fields(const Json::Value& fields);

}  // namespace patchbay
