// A schema with every type, nested ones included, and batches of it.
#pragma once

#include <string>
#include <vector>

#include "patchbay/builder.h"

namespace patchbay {

SchemaPtr every_type();
// Row `i` has values made from i; every seventh value of a column is null, each column's at another
// row.
void append_row(BatchBuilder& out, int64_t i);
Batch rows_of_every_type(int64_t rows);

// All rows as JSON: two batches of one schema that read alike are alike.
std::vector<std::string> as_json(const Schema& schema, const ArrowArray& array);
std::vector<std::string> as_json(const Batch& batch);

}  // namespace patchbay
