// Rows as tabledata.list and queries answer them, into batches:
// https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/list
#pragma once

#include <json/value.h>

#include "patchbay/bq_types.h"
#include "patchbay/builder.h"

namespace patchbay {

// Appends {"f": [{"v": ..}, ..]}. Throws Error kData naming the column where a cell is not of its
// type.
void append_cells(BatchBuilder& batch, const Json::Value& row);

}  // namespace patchbay
