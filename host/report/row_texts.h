// Rows of rejects, back from the JSON text that row_to_json made of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/batch.h"

namespace patchbay::host {

// One batch of these rows. Throws Error kData that names the column where a text is no row of the
// schema.
Batch rows_from_texts(const SchemaPtr& schema, const std::vector<std::string>& texts);

// The schema of records that fit no other, as bay_rejected describes it: one column `record`.
bool is_record(const Schema& schema);
// The record in such a row's JSON text. Throws Error kData where the text is not one.
std::string record_in(const std::string& row_json);

// Records, of that schema, as rows of the stream; nullopt where one of them is not a row of it.
std::optional<Batch> rows_of_records(const SchemaPtr& stream, const Batch& records);

}  // namespace patchbay::host
