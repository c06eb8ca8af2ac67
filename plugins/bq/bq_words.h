// What BigQuery says about rows, fit for reports and logs: its words without the rows' values.
#pragma once

#include <string>

#include "patchbay/type.h"

namespace patchbay {

// Text in quotes, and after `value:`, becomes *** unless it is the path of a field of the stream.
std::string without_values(const std::string& message, const Schema& stream);

}  // namespace patchbay
