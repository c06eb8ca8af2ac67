// What BigQuery does with names, and which it has not:
// https://cloud.google.com/bigquery/docs/schemas#column_names
#pragma once

#include <string>
#include <vector>

#include "patchbay/tables/options.h"

namespace patchbay {

inline const tables::NamePolicy kBqNames{"BigQuery", false};

// Throws kConfig, naming the field, for a column that can't be made; also for structs that are
// nested too deeply. Columns that are there already may have names that need a table option.
void require_new_names(const std::vector<Field>& fields);
// The same for one field of the stream, by its path.
void require_new_name(const Schema& stream, const std::string& path);

// Throws kConfig for a key of a type by which BigQuery can't group or compare.
void require_key_types(const tables::TableOptions& options, const Schema& stream);

}  // namespace patchbay
