// Configured values and where they come from, as --values shows them.
#pragma once

#include <json/value.h>

#include <string>
#include <vector>

#include "environment/origin.h"

namespace patchbay::host {

Json::Value values_json(const std::vector<NamedValue>& values);
std::string values_text(std::vector<NamedValue> values);  // a table, by name

}  // namespace patchbay::host
