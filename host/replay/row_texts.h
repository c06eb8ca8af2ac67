// Rows of rejects, back from the JSON text that row_to_json made of them.
#pragma once

#include <string>
#include <vector>

#include "patchbay/batch.h"

namespace patchbay::host {

// One batch of these rows. Throws Error kData that names the column where a text is no row of the
// schema.
Batch rows_from_texts(const SchemaPtr& schema, const std::vector<std::string>& texts);

}  // namespace patchbay::host
