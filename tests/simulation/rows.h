// Rows as batches, and back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "patchbay/batch.h"
#include "simulation/sink_system.h"

namespace patchbay::simulation {

// id, other, key, value, and `grown` where the stream has it.
SchemaPtr row_schema(const std::string& stream, bool grown);
Batch to_batch(const SchemaPtr& schema, const std::vector<SinkRow>& rows);
std::vector<SinkRow> from_batch(const Batch& batch);

// As the content of an object: a line each.
std::string to_text(const std::vector<SinkRow>& rows);
std::vector<SinkRow> from_text(std::string_view text);

}  // namespace patchbay::simulation
