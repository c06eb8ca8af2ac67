// Configured values and where they come from, as --values shows them.
#pragma once

#include <json/value.h>

#include <string>
#include <vector>

#include "environment/origin.h"
#include "report/printed.h"

namespace patchbay::host {

Json::Value values_json(const std::vector<NamedValue>& values);
Printed values_text(std::vector<NamedValue> values);  // a table, by name

}  // namespace patchbay::host
