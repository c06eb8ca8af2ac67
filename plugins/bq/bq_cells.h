// Rows as tabledata.list and queries answer them, into batches:
// https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/list
#pragma once

#include <json/value.h>

#include "patchbay/builder.h"

namespace patchbay {

// The stream's schema for a table's or a query's.
Schema schema_of_table(const std::string& stream, const Json::Value& fields);
// Appends {"f": [{"v": ..}, ..]}. Throws Error kData naming the column where a cell is not of its
// type.
void append_cells(BatchBuilder& batch, const Json::Value& row);

}  // namespace patchbay
