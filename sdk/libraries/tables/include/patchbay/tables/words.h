// What a remote system says about rows, fit for messages and reports: its words without the rows'
// own values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/batch.h"
#include "patchbay/type.h"

namespace patchbay::tables {

// The texts of a row's values, for without_values: numbers, dates and texts, those inside of lists,
// structs and JSON, too.
std::vector<std::string> texts_of(const Batch& batch, int64_t row);

// `message` with *** in place of what may be a value: every one of `texts`, longest first; what
// stands in quotes, from the first to the last of them; and what follows `value:`, to the end.
// Names of the stream's fields, and paths of them, stay. At most 500 bytes.
std::string without_values(const std::string& message, const Schema& stream,
                           const std::vector<std::string>& texts = {});

}  // namespace patchbay::tables
